# `make help` says what there is. Everything runs in .venv, which each target makes or mends first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
GENERATOR := .venv-gen
GENERATED := build/mooring.binpb
PROTOS := $(sort $(wildcard protos/mooring/v1/*.proto))
# Node comes from a wheel, so that no other installation is asked for and the bundle's bytes are everyone's.
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
JS := widgets/js

.DEFAULT_GOAL := help
.PHONY: help setup demo test check evidence serve load bench gen docs js figures pictures format pins wheel clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv; quick when nothing changed

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Mooring needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY) ## Start the service and JupyterLab on the tour; Ctrl-C stops both
	$(BIN)/mooring demo $(ARGS)

serve: $(READY) ## Start the service alone
	$(BIN)/mooring serve $(ARGS)

test: $(READY) $(JS)/node_modules ## Run every test
	cd $(JS) && $(NODE) npm run --silent test
	$(BIN)/python -m pytest $(ARGS)

evidence: $(READY) ## Show at full size what is promised: races, kills, retries, permissions; an hour
	MOORING_EVIDENCE=full $(BIN)/python -m pytest -q $(or $(ARGS),tests/evidence tests/browser/test_switching.py)

load: $(READY) ## Load a server of its own with Locust; fails where a budget is passed
	$(BIN)/python loadtests/run.py $(ARGS)

bench: $(READY) ## Measure imports and bulk reads of 1,000,000 assets as ratios within one run; half an hour
	$(BIN)/python loadtests/bench/run.py $(ARGS)

figures: $(READY) ## Measure what docs/figures.md says
	PYTHONPATH=tests $(BIN)/python tests/browser/figures.py $(ARGS)

pictures: $(READY) ## Take the pictures of the documentation anew
	PYTHONPATH=tests $(BIN)/python tests/browser/pictures.py

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/buf format --write protos

check: $(READY) $(GENERATED) $(JS)/node_modules ## Format, lint, types, import contracts, buf, stub and bundle drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/buf lint '$(GENERATED)#format=binpb' --config buf.yaml --path mooring
	rm -rf build/stubs && mkdir -p build/stubs
	$(call stubs,build/stubs)
	@for stub in $$(cd build/stubs && find . -name '*_pb2*'); do cmp build/stubs/$$stub protos/$$stub || { echo "A stub has drifted: run make gen"; exit 1; }; done
	rm -rf build/api && $(BIN)/python docs/reference.py build/api
	@diff -r build/api docs/api || { echo "The API reference has drifted: run make docs"; exit 1; }

	cd $(JS) && $(NODE) npm run --silent check
	rm -rf build/static && cp -r widgets/mooring_widgets/static build/static
	cd $(JS) && $(NODE) npm run --silent build
	@diff -r build/static widgets/mooring_widgets/static || { echo "The bundle has drifted: commit what make js builds"; exit 1; }

pins: $(READY) ## Write constraints.txt from .venv
	(head -1 constraints.txt; $(BIN)/python -m pip freeze --exclude-editable) > build/pins && mv build/pins constraints.txt

# The generator cannot share an environment with the runtime that the server uses.
$(GENERATOR)/.ready: constraints-gen.txt
	$(PYTHON) -m venv $(GENERATOR)
	$(GENERATOR)/bin/python -m pip install --quiet --disable-pip-version-check --requirement constraints-gen.txt
	@touch $@

define protoc
PATH="$(CURDIR)/$(GENERATOR)/bin:$$PATH" python -m grpc_tools.protoc -Iprotos -I"$$($(GENERATOR)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
	$(1) $(PROTOS)
endef
stubs = $(call protoc,--python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1))

gen: $(GENERATOR)/.ready ## Generate the stubs from the protos
	$(call stubs,protos)

$(GENERATED): $(GENERATOR)/.ready $(PROTOS)
	@mkdir -p build
	$(call protoc,--include_imports --include_source_info --descriptor_set_out=$@)

docs: $(READY) $(GENERATED) ## Write the API reference, docs/api, from the protos and the code
	$(BIN)/python docs/reference.py

$(JS)/node_modules: $(READY) $(JS)/package.json
	cd $(JS) && $(NODE) npm install --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@

js: $(JS)/node_modules ## Build the front end's bundle
	cd $(JS) && $(NODE) npm run --silent check
	cd $(JS) && $(NODE) npm run --silent build

wheel: $(READY) ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove what was made here, environments too
	rm -rf $(VENV) $(GENERATOR) build dist $(JS)/node_modules
