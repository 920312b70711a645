# What a person does with a checkout. Each target makes what it needs; `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help parts setup demo test fuzz faults attack check format bench bench-rules bench-codecs bench-console production-local screens tasks notify-storm lock sbom audit clean
.NOTPARALLEL: # first the parts, then .venv, then what stands on both

BIN := .venv/bin
ARGS ?=
# Most tests wait for something: three at a time leave two processors half idle. Files begin in their order: those
# with few and slow tests must not be last and leave all workers but one idle. A TimescaleDB of one's own is for one
# test at a time.
WORKERS ?= $(if $(NABD_TEST_TIMESCALE_DSN),0,3)

help: ## say what there is
	@echo "Nabd: every reading committed, watched and acted upon."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo 'Options of a command go into ARGS: make demo ARGS="--speed 60"'

setup: ## make .venv with Nabd in it (only when something changed)
	@PYTHON="$(PYTHON)" scripts/setup

parts: ## install what tests need beside Python (Debian, as root or by sudo), or name the command
	@PYTHON="$(PYTHON)" scripts/test-parts

demo: setup ## a simulated town at one URL; Ctrl-C leaves nothing behind
	@$(BIN)/nabd demo $(ARGS)

test: parts check ## check, then every test; NABD_REQUIRE_ALL=1 makes a skipped one fail
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: setup ## compare the compiled decoder with the exact one on 3 million payloads, bounds checked (docs/adr/0024)
	NABD_FUZZ_PAYLOADS=3000000 $(BIN)/python -m pytest tests/unit/wire/compiled tests/unit/ingest/test_reader.py -rP $(ARGS)

faults: setup ## the long form of the fault matrix (docs/faults.md); NABD_FAULTS_SEED=n repeats a run
	NABD_FAULTS=long $(BIN)/python -m pytest tests/faults tests/unit/rules/engine -rP $(ARGS)

attack: parts setup ## the long form of what hostile clients, rules and accounts try (tests/attacks)
	NABD_ATTACKS=long $(BIN)/python -m pytest tests/attacks tests/integration/console/test_contrast.py \
		tests/integration/deploy/test_broker_confines_devices.py -rP --timeout 3600 $(ARGS)

check: setup ## format, lint, types, layers and SQL
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squawk store/migrations/*.sql

format: setup ## format and repair what can be repaired alone
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure readings per second on this machine
	@$(BIN)/nabd bench ingest $(ARGS)

bench-queries: parts setup ## questions about a day and a year, both editions (ARGS="--devices 2000 --days 365 --keep DIR": hours, 30 GB)
	@mkdir -p var
	@$(BIN)/python scripts/bench-timescale $(TIMESCALE) > var/timescale.json
	@$(BIN)/nabd bench queries --beside var/timescale.json $(ARGS)

production-local: parts setup ## an installation with accounts, TLS, 500 devices and 300 of others, for three minutes; nothing may be lost
	@$(BIN)/nabd bench production $(ARGS)

bench-rules: setup ## measure the default rules on months of labelled faults
	@$(BIN)/nabd bench rules $(ARGS)

bench-codecs: setup ## measure what profiles and vendors' JavaScript cost for a message
	@$(BIN)/nabd bench codecs $(ARGS)

bench-console: parts setup ## measure the console in a browser at 100, 10,000 and 100,000 devices
	@$(BIN)/nabd bench console $(ARGS)

screens: parts setup ## pictures of every page of the console, into screenshots/
	@$(BIN)/nabd bench screens $(ARGS)

tasks: parts setup ## do people's tasks in a browser and count their clicks (docs/tasks.md)
	@$(BIN)/nabd bench tasks $(ARGS)

notify-storm: setup ## storms of alerts against a real receiver: how soon people are told
	@$(BIN)/nabd bench notify $(ARGS)

lock: ## pin dependencies anew into constraints.txt (needs a package index)
	scripts/lock $(ARGS)

sbom: setup ## what Nabd is made of, as CycloneDX (ARGS=FILE; default build/nabd.cdx.json)
	@$(BIN)/python scripts/sbom $(ARGS)

audit: setup ## known weaknesses of what constraints.txt pins (asks a public database, so needs the network)
	$(BIN)/pip-audit --requirement constraints.txt --require-hashes --disable-pip --strict $(ARGS)

clean: ## remove what was built, .venv included
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
