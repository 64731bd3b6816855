"""Judges painters and folders of pictures: what is measured, on what, and how far it can be trusted."""
