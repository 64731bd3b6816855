"""Names, options and help texts of the commands: one module for each command or group.

They import typer and nothing heavy, so that help and completion do not wait for torch. The work is done by the modules
of `impasto.cli` that they import when a command runs: `commands/evaluate.py` calls `evaluate.py`.
"""
