"""Whole nights in virtual time: the core alone, with chance from a seed."""
