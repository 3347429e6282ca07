"""Benchmarks: the product measured from outside, in processes of its own. Never part of the product, never a test."""
