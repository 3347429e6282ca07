"""Private services and helpers that tests share; it holds no test."""
