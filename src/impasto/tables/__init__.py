"""A paper's table or figures by one command: train what is missing, judge it, set it beside what was published."""
