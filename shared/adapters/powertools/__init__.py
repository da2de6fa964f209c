"""Powertools for AWS Lambda."""
