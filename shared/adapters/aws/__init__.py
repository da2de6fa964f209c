"""Amazon Web Services through botocore: objects, queues, secrets."""
