"""Losses: functions from tensors to one scalar. Each names its paper and equation."""
