# make run     bring everything up to date: data, adapters, ledger (what each layer adds), report, bundle
# make serve   serve what the last run released
# make test    every test, two files at a time, the small model's whole chain included
# make lint    style, types, and the arrows between the rooms
# make extras  what single settings need besides: bitsandbytes for qlora, DeepSpeed for sft.deepspeed, openpyxl for
#              .xlsx, psycopg for PostgreSQL, OpenTelemetry's SDK for serve.traces, a model for names of people, hadolint
# make clean   delete what runs have made

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
INSTALL := $(BIN)/python .ci/installing.py $(BIN)/pip install --disable-pip-version-check

.PHONY: run serve test lint extras clean venv
.DEFAULT_GOAL := run

run: $(READY)
	$(BIN)/threeply run

serve: $(READY)
	$(BIN)/threeply serve

test: $(READY)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/threeply check

extras: $(READY)
	$(INSTALL) --no-deps -r requirements-extras.lock

clean: $(READY)
	$(BIN)/threeply clean

venv: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.lock
	$(INSTALL) --no-deps -e .
	touch $@
