# Every target sets up what it needs: Python 3.11 or newer with venv is all a machine must have.
PYTHON ?= python3
BENCH ?=
export PYTHONSAFEPATH = 1
export PYTHONDONTWRITEBYTECODE =
READY = .venv/.ready
RUN = .venv/bin/python -m

.PHONY: demo quick test soak check lint bench lock clean

demo: $(READY)  ## the main job on real data, from training to a million scores
	.venv/bin/afterfit demo

quick: $(READY)  ## most of the tests, in a minute or two: no servers, no worker processes
	$(RUN) pytest -m "not slow and not servers"

test: $(READY)  ## the tests, the long ones apart
	$(RUN) pytest -m "not slow"

soak: $(READY)  ## the long kill and load tests
	$(RUN) pytest -m slow

check: $(READY)  ## lint, format and types; changes nothing
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

lint: $(READY)  ## mend what can be mended
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

bench: $(READY)  ## all benchmarks, or some: make bench BENCH="peers --runs 1"
	$(RUN) benchmarks $(BENCH)

lock: $(READY)  ## renew requirements.lock from the ranges in pyproject.toml
	$(RUN) uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --no-header --upgrade --quiet --output-file requirements.lock

# Compiled bytecode makes every later start three times faster.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "afterfit needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(RUN) uv pip sync --python .venv/bin/python --quiet --compile-bytecode --require-hashes requirements.lock
	$(RUN) uv pip install --python .venv/bin/python --quiet --no-deps --no-build-isolation --editable .
	$(RUN) compileall -q afterfit deployments flows tasks
	.venv/bin/python -c 'import tasks.core.model.trees.loops'  # compiles the tree kernel, into a cache beside it
	@touch $(READY)

clean:  ## what was built here; AFTERFIT_HOME stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis benchmarks/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
