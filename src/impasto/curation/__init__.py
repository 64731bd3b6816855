"""Preparation of collections before training: download, check, clean, derive and pack."""
