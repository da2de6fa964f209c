"""Calls out over HTTP."""
