"""HTTP in and out: the REST resources, the live stream, provider callbacks. Holds no rule that the core should hold."""
