"""The embedding model that runs in the process itself: all-MiniLM-L6-v2 on ONNX Runtime, quantised to 8 bits."""
