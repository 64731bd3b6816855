"""The command line: parses, calls one function below, prints what it returns."""
