"""Providers of OpenID Connect, and signatures by PyJWT and cryptography."""
