"""What the Makefile promises."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()


def test_make_bench_runs_every_benchmark():
    named = re.search(r"^BENCHMARKS := (.+)$", MAKEFILE, re.MULTILINE)[1].split()
    programs = [file.stem for file in sorted((ROOT / "bench").glob("*.py")) if "__main__" in file.read_text()]
    assert sorted(named) == programs
    assert len(programs) >= 7


def test_every_target_is_phony():
    targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
    assert set(targets) == set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())
    assert {"setup", "demo", "test", "test-slow", "check", "bench"} <= set(targets)
