"""Each part against the real thing it talks to, on every implementation alike."""
