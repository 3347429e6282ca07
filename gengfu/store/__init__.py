"""Queries that only the deployment's own tools ask. Never decides, never opens a transaction."""
