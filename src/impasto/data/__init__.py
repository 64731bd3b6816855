"""Data: reads pictures and gives typed batches and prompts."""
