"""Losses: plain functions from tensors to one scalar; each names its paper and equation."""
