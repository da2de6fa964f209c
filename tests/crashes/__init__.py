"""kill -9, in loops, of what a local cloud is made of, while documents go through it."""
