"""Reproduces a paper's table or figures with one command: trains missing runs, evaluates, compares with the paper."""
