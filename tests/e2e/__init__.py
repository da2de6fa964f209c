"""The local cloud as a whole: the same template, real events, real processes."""
