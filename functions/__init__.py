"""The doors: one folder is one Lambda function."""
