"""Log lines through structlog."""
