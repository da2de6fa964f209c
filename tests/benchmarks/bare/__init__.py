"""The plainest functions one could write: what ours are compared with."""
