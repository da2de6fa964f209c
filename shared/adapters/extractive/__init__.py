"""Answers without a model: the sentences of the passages that answer the question, word for word, each cited."""
