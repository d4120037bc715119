# `make` lists the targets. Each one does the set-up that it needs.

# nbgrader runs jupyter and alembic by name.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
READY := .venv/.ready
PYTEST := .venv/bin/pytest
# Tests that share an expensive fixture stay on one worker; see tests/conftest.py.
WORKERS := -n logical --maxprocesses=4 --dist=loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow fuzz docs lab release clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv from uv.lock (the other targets do this by themselves)

$(READY): pyproject.toml uv.lock tools/bootstrap
	tools/bootstrap
	@touch $@

demo: $(READY) ## grade a sample class and issue its certificates
	.venv/bin/dlcourse demo

test: $(READY) ## lint, check the types, and the quick tests
	.venv/bin/ruff check
	.venv/bin/lint-imports
	.venv/bin/mypy
	$(PYTEST) -m "not slow" --ignore=tests/sandbox $(WORKERS)
	# These fork and count processes: nothing may run beside them.
	$(PYTEST) -m "not slow" tests/sandbox

test-slow: $(READY) ## the tests that train models, grade the class, or drive a browser
	$(PYTEST) -m slow -rs

fuzz: $(READY) ## the property tests with fresh examples, many more: FUZZ_TIMES=20 times as many
	$(PYTEST) -m hypothesis --hypothesis-profile=fuzz

docs: $(READY) ## build the documentation in docs/_build/html
	.venv/bin/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html

lab: $(READY) ## open JupyterLab with nbgrader and this course's configuration
	.venv/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root)

release: $(READY) ## make the student versions in release/ from source/
	.venv/bin/dlcourse release

clean: ## remove the environment and caches, never a class's work
	rm -rf .venv .uv .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis docs/_build
	find src tests benchmarks tools -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
