"""Proof, on real parts; a package, so that no folder in here shadows a product package of the same name."""
