# Everything runs from .venv; the stamp file says that the installation is current.
# Tests that stream over LSL keep time, so they run one by one, after all others.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test check format lint types contracts safety mutants bench bench-smoke clean help

help:
	@echo "make demo   install and run one minute of closed loop on simulated devices"
	@echo "make test   install and run the tests"
	@echo "make check  format, lint, types, import contracts, tests, benchmarks in smoke mode"
	@echo "make safety every line and branch of controller/safety, uncompiled; make mutants tests its tests"
	@echo "make bench  measure latency and kernels against their budgets"

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing phasegate and what it needs into $(VENV) (some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[all,dev]"
	@touch $@

demo: $(STAMP)
	$(BIN)/phasegate demo

test: $(STAMP)
	$(BIN)/python -m pytest -m "not lsl" --numprocesses logical --dist loadfile
	$(BIN)/python -m pytest -m lsl

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

safety: $(STAMP)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/safety -p no:cacheprovider \
		--cov=controller.safety --cov-branch --cov-report=term-missing --cov-fail-under=100

mutants: $(STAMP)
	$(BIN)/python -m bench.mutants

bench: $(STAMP)
	$(BIN)/python -m bench.run

bench-smoke: $(STAMP)
	$(BIN)/python -m bench.run --smoke
	$(BIN)/python -m bench.accuracy --smoke

check: lint types contracts test safety bench-smoke

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
