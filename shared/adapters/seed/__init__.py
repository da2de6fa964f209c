"""A signing key of one's own, by its seed."""
