"""Providers of OpenID Connect, and signatures by joserfc."""
