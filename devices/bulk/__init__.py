"""Bulk files: the sheets and columns of an import, how files are read, what is wrong in them. Never asks a database."""
