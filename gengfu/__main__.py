"""`python -m gengfu`: the same as the command `gengfu`. Holds nothing of its own."""

from gengfu.cli import main

if __name__ == "__main__":
    main()
