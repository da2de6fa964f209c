"""One module per family of formats; each has `read(source, manuscript)`."""
