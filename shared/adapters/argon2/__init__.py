"""Passwords by argon2-cffi."""
