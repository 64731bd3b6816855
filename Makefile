# make setup | demo | test | check | bench: each sets up what it needs on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: setup demo test check format bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[develop]'
	touch $(READY)

demo: $(READY)
	$(BIN)/impasto demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2

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
	$(BIN)/python bench/cyclegan_step.py
	$(BIN)/python bench/painting.py
	$(BIN)/python bench/loading.py
	$(BIN)/python bench/doctor.py
	$(BIN)/python bench/features.py
	$(BIN)/python bench/distances.py

clean:
	rm -rf .venv runs paintings impasto-demo
