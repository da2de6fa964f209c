"""What the system does: one verb a file, ordered steps over the ports, no vendor and no HTTP."""
