"""`impasto table` without a table: what there is."""

from __future__ import annotations

import yaml

from impasto.cli.console import console, escape
from impasto.recipe_files import read_shipped_table, shipped_tables


def tables_command() -> None:
    """Print what each table shows, needs and costs."""
    for name in shipped_tables():
        table = yaml.safe_load(read_shipped_table(name))
        about = table["about"]
        console.print(f"[bold]{name}[/]\n  {escape(about['does'])}\n  {escape(table['source'])}")
        console.print(f"  data: {escape(about['data'])}\n  cost: {escape(about['cost'])}\n")
    console.print("Make one: impasto table NAME [PATH=VALUE]...   It trains what is missing; Ctrl-C and go on later.")
