"""Models of every provider that does not speak the OpenAI API, through litellm. Imported inside calls: it takes seconds
to import.
"""
