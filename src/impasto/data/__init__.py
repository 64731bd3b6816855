"""Images in, typed batches and prompts out."""
