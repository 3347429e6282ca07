"""The shape of the sources: layers, tables, sizes, words."""
