"""Reading files: what type they are, what they say, and the cage in which hostile bytes are parsed."""
