"""Evaluates painters and folders of pictures: metrics, feature extractors, copy search and the quiz."""
