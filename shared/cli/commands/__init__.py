"""What can be typed: each module adds its commands to the application."""
