"""Registers the fixtures that every test may ask for; it defines none itself."""

pytest_plugins = ["tests.support.services", "tests.support.judges"]
