"""Commands that print figures, as ratios against a baseline of the same run. Nothing here asserts a duration."""
