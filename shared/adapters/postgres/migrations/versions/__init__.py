"""Schema changes in order."""
