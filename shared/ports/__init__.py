"""Promises about the world outside, one Protocol a power, without a body."""
