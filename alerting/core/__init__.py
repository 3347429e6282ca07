"""The pure core: values in, decisions out. No await, clock, randomness, SQL, HTTP, logging or environment."""
