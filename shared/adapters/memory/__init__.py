"""Every port without anything outside the process: for tests, and to see what a port means."""
