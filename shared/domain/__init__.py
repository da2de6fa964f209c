"""What is true or false without I/O: documents, chunks, tenants, rules and errors. Pure Python."""
