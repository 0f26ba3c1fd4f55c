# fourlep: `make help` lists what there is to do.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python from 3.11 to 3.13; choose another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 \
	&& { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

FILESET ?= synthetic
SELECTION ?= fourlepton
OUTPUT ?= build/$(FILESET)-$(SELECTION)
# The four-electron recipe of SciPy 2024 ends with histograms: it has no fit to go with it.
FIT ?= $(if $(filter scipy2024,$(SELECTION)),,--fit)

# What the tests start for real, by Debian's names.
TEST_PACKAGES := xrootd-server xrootd-server-plugins xrootd-client nodejs npm chromium shellcheck git

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4)} /^[a-z][a-z-]*:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Analysis

.PHONY: run
run: $(VENV)/.run-ready ## the main job: FILESET=synthetic|release2024-hzz4l|... SELECTION=fourlepton OUTPUT=build/...
	@$(BIN)/fourlep run $(FILESET) --selection $(SELECTION) --output $(OUTPUT) --resume $(FIT)

.PHONY: install
install: $(VENV)/.run-ready ## .venv with the fourlep command, from the lock

.PHONY: install-dev
install-dev: $(VENV)/.dev-ready ## .venv with everything: facility, tests, docs

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "fourlep needs Python 3.11 to 3.13" >&2; exit 1; }
	@analysis/scripts/system-packages.sh --python $(PYTHON)
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: locks/run.txt pyproject.toml | $(BIN)/python
	@test -e $(VENV)/.dev-ready || { echo "Installing from locks/run.txt (about a minute) ..." >&2; \
		$(PIP) install --require-hashes -r locks/run.txt; }
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-ready: locks/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing from locks/dev.txt (two to three minutes) ..." >&2
	@$(PIP) install --require-hashes -r locks/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run-ready

.PHONY: lock
lock: $(VENV)/.dev-ready ## resolve the dependencies anew (needs uv on PATH)
	@analysis/scripts/lock.sh

## Checks

.PHONY: test
test: system-test-packages check ## everything that CI runs: set-up, checks, all tests

.PHONY: system-test-packages
system-test-packages:
	@analysis/scripts/system-packages.sh $(TEST_PACKAGES)

.PHONY: check
check: lint types layers docs pytest ## lint, types, layers, docs and tests

.PHONY: lint
lint: $(VENV)/.dev-ready ## ruff, codespell, shellcheck, yamllint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@git ls-files -z --cached --others --exclude-standard | xargs -0 -r $(BIN)/codespell
	@git ls-files -z --cached --others --exclude-standard '*.sh' '.ci/run' | xargs -0 -r shellcheck
	@git ls-files -z --cached --others --exclude-standard '*.yaml' '*.yml' | xargs -0 -r $(BIN)/yamllint -s

.PHONY: format
format: $(VENV)/.dev-ready ## write the code as ruff would
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: types
types: $(VENV)/.dev-ready ## mypy, strict
	@$(BIN)/mypy

.PHONY: layers
layers: $(VENV)/.dev-ready ## imports point one way
	@$(BIN)/lint-imports --no-cache

.PHONY: pytest
pytest: $(VENV)/.dev-ready ## all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup

.PHONY: quick-test
quick-test: $(VENV)/.dev-ready ## the tests that take seconds and start no servers
	@$(BIN)/python -m pytest -q -n 2 -m "not slow and not servers and not browser"

.PHONY: docs
docs: $(VENV)/.dev-ready ## the documentation, into build/docs
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs

## Facility on this machine

FACILITY ?= .facility

.PHONY: up
up: $(VENV)/.dev-ready system-test-packages ## start hub, gateway, cache and origin on loopback; FACILITY=.facility
	@$(BIN)/fourlep facility up --directory $(FACILITY)

.PHONY: status
status: $(VENV)/.dev-ready ## how each part of the facility is
	@$(BIN)/fourlep facility status --directory $(FACILITY)

.PHONY: smoke
smoke: $(VENV)/.dev-ready ## log in by token, start a cluster, run the analysis, clean up
	@$(BIN)/fourlep facility smoke --directory $(FACILITY)

.PHONY: down
down: $(VENV)/.dev-ready ## end what `make up` started
	@$(BIN)/fourlep facility down --directory $(FACILITY)

include k8s/k8s.mk

## Longer things

.PHONY: bench
bench: $(VENV)/.dev-ready ## the reader against coffea and the inflation limit, on this machine
	@$(BIN)/fourlep bench reader

.PHONY: bench-closure
bench-closure: $(VENV)/.dev-ready ## does analysis and fit recover the injected strength? 200 seeds
	@$(BIN)/python analysis/benchmarks/closure.py --output build/closure.json --figure build/closure.png

.PHONY: bench-coverage
bench-coverage: $(VENV)/.dev-ready ## does the 68 % interval cover 68 %? 500 pseudo-experiments
	@$(BIN)/python analysis/benchmarks/interval_coverage.py --output build/coverage

.PHONY: bench-variations
bench-variations: $(VENV)/.dev-ready ## what thirty variations cost; STANDIN=directory of a stand-in
	@$(BIN)/python analysis/benchmarks/variations.py $(or $(STANDIN),$(error STANDIN= the directory of a stand-in, as `fourlep synth` makes it))

.PHONY: soak
soak: $(VENV)/.dev-ready system-test-packages ## RUNS=1000 runs with random faults, each held to the last bit
	@$(BIN)/python analysis/benchmarks/soak.py --runs $(or $(RUNS),1000) --output build/soak

.PHONY: fuzz
fuzz: $(VENV)/.dev-ready ## EXAMPLES=20000 hostile files through the reader, every index checked
	@$(BIN)/python analysis/benchmarks/fuzz_reader.py --examples $(or $(EXAMPLES),20000) --output build/fuzz

.PHONY: scale-test
scale-test: $(VENV)/.dev-ready system-test-packages ## all 70,611 names of the catalogue through a local cache
	@$(BIN)/python analysis/benchmarks/scale.py --output build/scale

.PHONY: scaling
scaling: $(VENV)/.dev-ready ## strong and weak scaling from one worker up
	@$(BIN)/python analysis/benchmarks/scaling.py --output build/scale

.PHONY: clean
clean: ## remove what can be made again
	@rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
