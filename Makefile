# Needs Python 3.11 or newer with venv, and make. `make` alone lists the commands.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: serve
serve: $(VENV)/.installed ## set up, and serve on 127.0.0.1:8000; ARGS="--host 0.0.0.0 --port 8001" for others
	@exec $(RUN) -m server $(ARGS)

.PHONY: test
test: $(VENV)/.dev assets ## set up what tests need, three browsers included, and run them all; ARGS="-k room" for some
	@$(RUN) tests/install.py
	@$(RUN) tests/parts.py $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev assets ## what takes hours: KILLS=200, LOSSES=100 workers, STOPS=10 of each kind of cell, SCHEDULES=200000, thirty times as many random requests
	@KILLS=$${KILLS:-200} PARTYLINE_FUZZ=30 $(RUN) -m pytest tests/integration -k "crash or fuzz" -s $(ARGS)
	@LOSSES=$${LOSSES:-100} $(RUN) -m pytest tests/browser/test_losses.py -k load -s $(ARGS)
	@STOPS=$${STOPS:-10} $(RUN) -m pytest tests/browser/test_kernel.py -k test_stop -s $(ARGS)
	@SCHEDULES=$${SCHEDULES:-200000} $(RUN) -m pytest tests/unit/test_session_schedules.py $(ARGS)

.PHONY: bench
bench: $(VENV)/.dev assets ## measure fan-out, idle sockets, static files, the worker's start and cells, each beside its baseline
	@$(RUN) -m bench.fanout
	@$(RUN) -m bench.idle
	@$(RUN) -m bench.static
	@$(RUN) -m bench.start
	@$(RUN) -m bench.stop
	@$(RUN) -m bench.typing

.PHONY: check
check: $(VENV)/.dev ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/.dev ## put imports and formatting right
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

.PHONY: assets
assets: $(VENV)/.installed ## fetch and prepare the browser's files
	@$(RUN) -m server.assets

.PHONY: docs
docs: $(VENV)/.installed ## write the parts of the docs that are made from the code
	@$(RUN) -m server.config_help >docs/settings.md.new && mv docs/settings.md.new docs/settings.md
	@$(RUN) -m server.cells_help >docs/reference/line.md.new && mv docs/reference/line.md.new docs/reference/line.md

.PHONY: lock
lock: $(VENV)/.installed ## bring package-lock.json in line with package.json
	$(BIN)/npm install --package-lock-only --ignore-scripts --no-audit --no-fund

.PHONY: clean
clean: ## remove all that make made, the event log excepted
	rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find server www tests stubs bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/.dev: $(VENV)/.made pyproject.toml hatch_build.py
	@echo "Installing partyline and its development tools into $(VENV)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml hatch_build.py
	@echo "Installing partyline into $(VENV)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# Its stamp comes last: a half-made environment is made again
$(VENV)/.made:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "$(PYTHON) was not found. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$("$(PYTHON)" --version 2>&1); Partyline needs Python 3.11 or newer." >&2; \
	  echo "Install one, then name it: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { \
	  echo "$(PYTHON) could not make $(VENV). On Debian and Ubuntu its venv is a package: apt install python3-venv" >&2; exit 1; }
	@touch $@
