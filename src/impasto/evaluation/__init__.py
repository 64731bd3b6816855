"""Evaluates painters and folders of pictures: metrics, and a record of how they were measured."""
