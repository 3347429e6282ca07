# `make run` and `make test` are the two commands; each first sets up whatever is missing.
# Works on a fresh Debian with git, make and python3 (3.11 or newer).

SHELL := /bin/sh
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run test check fix bench soak console lock clean setup-run setup-test

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

run: setup-run ## the whole alarm story on your screen: gengfu demo
	.venv/bin/gengfu demo $(ARGS)

# Stories wait more than they work, and promise seconds: they run apart from what keeps the cores busy.
test: setup-test check-quick ## everything: format, lint, types, layers, then all tests
ifeq ($(strip $(ARGS)),)
	$(PYTHON) -m pytest -q -n 3 --dist loadfile --ignore tests/acceptance
	$(PYTHON) -m pytest -q -n 2 --dist loadfile -m 'not soak and not alone' tests/acceptance
	$(PYTHON) -m pytest -q -m 'alone and not soak' tests/acceptance
else
	$(PYTHON) -m pytest $(ARGS)
endif

check: setup-test check-quick ## format, lint, types, layers, architecture
	$(PYTHON) -m pytest -q tests/architecture

.PHONY: check-quick
check-quick: setup-test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports
	.venv/bin/mypy

fix: setup-test ## put format and imports in order
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: setup-test ## figures, with a progress bar; saved by the benchmark itself
	$(PYTHON) -m benchmarks $(ARGS)

SEEDS ?= 20000
START ?= 10000
soak: setup-test ## the long proofs: SEEDS=20000 simulated nights from START on, then kill loops
	$(PYTHON) -m tests.simulation.soak --seeds $(SEEDS) --start $(START)
	$(PYTHON) -m pytest -m soak --timeout 0 $(ARGS)

console: ## build the web client
	@echo 'console: there are no web sources yet, nothing to build'

lock: ## pin every dependency anew (needs uv)
	scripts/lock $(ARGS)

clean: ## remove what set-up, tests and tools left in this folder
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test
