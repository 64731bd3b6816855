"""The training loop and everything else that is the same for every method."""
