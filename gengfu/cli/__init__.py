"""The command line. Every group of commands is a file; heavy modules are loaded inside the command that needs them."""


def main() -> None:
    """The command `gengfu`: exit code 0, 1 for a fault, 2 for wrong usage or settings."""
    from gengfu.cli.app import app

    app()
