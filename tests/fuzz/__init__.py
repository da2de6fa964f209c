"""Coverage-guided fuzzing, by command."""
