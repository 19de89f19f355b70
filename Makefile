# Two commands make a fresh machine useful: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo dev test test-all screenshots fuzz lint format lock bench clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

install: $(STAMP)  ## Make .venv and install everything, hash-checked

# Not compiled: most of these packages' modules are never imported, and those that are compile themselves then.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## The whole migration on made-up data: no settings, no network
	$(BIN)/z-interact-assets demo

dev: install  ## The Dagster UI on the demo's data, at http://127.0.0.1:3000
	$(BIN)/z-interact-assets dev

# A file stays with one worker. In the order of their names, which is about that of their cost: the last ones are short.
PARALLEL := -n logical --dist loadfile --no-loadscope-reorder
test: install  ## The fast tests
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not exhaustive"

test-all: install  ## All tests
	$(BIN)/python -m pytest $(PARALLEL)

screenshots: install  ## The Dagster UI after the demo, in docs/ (needs Debian's chromium)
	SCREENSHOTS=docs $(BIN)/python -m pytest tests/browser

FUZZ_SECONDS ?= 60
fuzz: install  ## Hostile images, texts and metadata for FUZZ_SECONDS; guided by coverage after `.venv/bin/pip install atheris`
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

lint: install  ## Formatting, rules, types, layers, definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate -w workspace.yaml

format: install  ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE := uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-strip-extras --python-version 3.11
lock:  ## Resolve the lock files anew (needs uv): ours, and the image's with the same versions
	$(COMPILE) --all-extras --group dev pyproject.toml --output-file requirements.lock
	$(COMPILE) --constraint requirements.lock --extra postgres --extra encryption --extra celery --extra k8s \
	  pyproject.toml deploy/requirements.in --output-file deploy/requirements.lock
	$(COMPILE) --constraint requirements.lock deploy/requirements-build.in --output-file deploy/requirements-build.lock

BENCH ?=
bench: install  ## How fast it is beside s5cmd, rclone and the old service: BENCH="--full", BENCH="growth" …
	$(BIN)/z-interact-assets bench $(BENCH)

clean:  ## Remove what make made (the demo's data too)
	rm -rf $(VENV) .bench .demo .fuzz .pytest_cache .ruff_cache .hypothesis build dist
