"""Equations changed in one place: a check that does not notice is worth nothing."""
