"""Whole stories on a real broker, a real database and real HTTP."""
