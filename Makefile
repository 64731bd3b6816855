# make setup | demo | test | test-slow | check | bench: each sets up what it needs on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
BENCHMARKS := cyclegan_step gan_steps painting loading doctor features distances

.PHONY: setup demo test coverage test-slow check format bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[develop]'
	touch $(READY)

demo: $(READY)
	$(BIN)/impasto demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2

coverage: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --cov

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow --timeout 3600

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	set -e; for benchmark in $(BENCHMARKS); do $(BIN)/python bench/$$benchmark.py; done

clean:
	rm -rf .venv runs paintings impasto-demo
