"""JSON Web Tokens by PyJWT."""
