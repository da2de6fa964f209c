"""The Pinecone vector service."""
