"""Pages that show results: what a run learned, for anyone with a browser."""
