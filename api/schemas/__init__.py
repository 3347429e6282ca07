"""What bodies look like, by noun. pydantic lives here and nowhere deeper."""
