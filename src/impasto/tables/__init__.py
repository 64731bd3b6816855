"""A paper's table or figures by one command: train what is missing, evaluate it, compare it with the paper."""
