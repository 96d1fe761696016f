# Concord's commands. `make` alone lists them. Each sets up what it needs: Python 3.11+, make and a package index do.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON_SOURCES := libs services providers sandbox cli tests scripts docker
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Tests that share one running suite stay in one process (`xdist_group`).
PARALLEL = -n $(WORKERS) --dist loadgroup
WORKERS ?= 2
SIMULATION = env WORKERS=$(WORKERS) $(BIN)/python -m tests.simulation
# A PostgreSQL of its own for the time of one command, unless CONCORD_TEST_POSTGRES_URL names one.
WITH_POSTGRES := scripts/with_postgres.sh
# Without these the live tests would all be skipped, and a run of skips looks like a success.
NEEDS_LIVE = @for name in URL DB USER PASSWORD ADMIN_USER ADMIN_PASSWORD; do \
	test -n "$$(printenv CONCORD_TEST_ODOO_$$name)" || { echo "make $@: set CONCORD_TEST_ODOO_$$name" >&2; exit 2; }; done

.PHONY: help demo up test test-slow test-postgres sim sim-postgres kill kill-postgres soak traps test-live bench bench-live \
	check check-python check-types check-protos check-files protos tables release-protos format lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the environment -------------------------------------------------------------------------------------------------

.venv/.ready: requirements.lock scripts/environment.sh
	@scripts/environment.sh
	@touch $@

# --- running ---------------------------------------------------------------------------------------------------------

demo: .venv/.ready ## play a shop's day through all four services, from empty data
	@$(BIN)/concord demo

up: .venv/.ready ## start the four services on embedded defaults until Ctrl-C
	@$(BIN)/concord up

# --- tests -----------------------------------------------------------------------------------------------------------

test: .venv/.ready ## all tests that need nothing but this machine (40 simulation seeds)
	$(PYTEST) $(PARALLEL) -m "not slow and not postgres and not live"

test-slow: .venv/.ready ## the slow tests, but for those that kill processes
	$(PYTEST) -m "slow and not process and not postgres and not live"

test-postgres: .venv/.ready ## the tests that run on PostgreSQL
	$(WITH_POSTGRES) $(PYTEST) $(PARALLEL) -m "postgres and not simulation and not process and not live"

sim: .venv/.ready ## days of the simulation: CONCORD_SIM_SEEDS of them (500) from seed CONCORD_SIM_FIRST (0) on
	CONCORD_SIM_SEEDS=$${CONCORD_SIM_SEEDS:-500} $(SIMULATION)

sim-postgres: .venv/.ready ## the same on PostgreSQL (50)
	CONCORD_SIM_SEEDS=$${CONCORD_SIM_SEEDS:-50} $(WITH_POSTGRES) $(SIMULATION) --postgres

kill: .venv/.ready ## kill -9 of each real process in turn while webhooks arrive
	$(PYTEST) -m "not postgres" tests/process

kill-postgres: .venv/.ready ## the same with two processes of each service on PostgreSQL
	$(WITH_POSTGRES) $(PYTEST) -m "postgres" tests/process

soak: .venv/.ready ## the long run: CONCORD_SIM_SEEDS days of the simulation (5000)
	CONCORD_SIM_SEEDS=$${CONCORD_SIM_SEEDS:-5000} $(SIMULATION)

traps: .venv/.ready ## a year of 50,000 bank lines, a third of them traps, through the matching
	$(BIN)/python -m tests.recon.traps

test-live: .venv/.ready ## the contract suite on the Odoo that CONCORD_TEST_ODOO_URL names
	$(NEEDS_LIVE)
	$(PYTEST) -m live

# --- benchmarks ------------------------------------------------------------------------------------------------------

bench: .venv/.ready ## throughput and memory as ratios to what the machine can do
	CONCORD_TEST_POSTGRES_FSYNC=on $(WITH_POSTGRES) $(BIN)/python -m tests.bench

bench-live: .venv/.ready ## posting speed against the Odoo that CONCORD_TEST_ODOO_URL names
	$(NEEDS_LIVE)
	$(BIN)/python -m tests.bench live

# --- contracts -------------------------------------------------------------------------------------------------------

protos: .venv/.ready ## generate libs/stubs from protos/
	$(BIN)/python scripts/stubs.py

tables: .venv/.ready ## generate services/*/storage/tables.py from the rows that are declared
	$(BIN)/python scripts/tables.py

release-protos: check-protos ## declare today's protos published: later ones may only add to them
	$(BIN)/buf build protos --exclude-source-info -o protos/released.binpb

# --- checks ----------------------------------------------------------------------------------------------------------

check: check-python check-types check-protos check-files ## formatting, lint, types, imports, contracts, locks, compose file

check-python: .venv/.ready
	$(BIN)/ruff check $(wildcard $(PYTHON_SOURCES))
	$(BIN)/ruff format --check $(wildcard $(PYTHON_SOURCES))
	$(PYTEST) -q tests/architecture

check-types: .venv/.ready
	$(BIN)/mypy $(wildcard $(PYTHON_SOURCES))

check-protos: .venv/.ready
	$(BIN)/buf lint protos
	$(BIN)/buf format protos --diff --exit-code
	$(BIN)/buf breaking protos --against protos/released.binpb
	$(BIN)/python scripts/stubs.py --check

check-files: .venv/.ready
	$(BIN)/python scripts/tables.py --check
	$(BIN)/python scripts/lock.py --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: .venv/.ready ## let ruff and buf format what they can
	$(BIN)/ruff check --fix-only --quiet $(wildcard $(PYTHON_SOURCES))
	$(BIN)/ruff format $(wildcard $(PYTHON_SOURCES))
	$(BIN)/buf format protos --write

lock: .venv/.ready ## resolve requirements*.in into the hashed locks (asks the package index)
	$(BIN)/python scripts/lock.py

clean: ## remove the environment, caches and local data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .concord data build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
