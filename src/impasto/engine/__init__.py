"""Runs any method: the loop, and all that is the same for every method."""
