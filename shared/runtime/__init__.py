"""What makes a function a Lambda function."""
