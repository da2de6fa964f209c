"""Models behind any endpoint that speaks the OpenAI API: OpenAI, Azure, Ollama, vLLM, Gemini's, Bedrock's and
others.
"""
