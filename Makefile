# Needs only python3 (3.10 or newer) with pip, node and make; everything else is set up in .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
READY := $(VENV)/.ready
PEERS := $(VENV)-peers
PEERS_READY := $(PEERS)/.ready
SUITES := $(VENV)-suites
SUITES_READY := $(SUITES)/.ready
NODE_READY := node_modules/.ready
ZOO ?= ../shared/zoo
SUITE ?= demo/lesson
SOURCES := server tests benchmarks scripts

.DEFAULT_GOAL := help
.PHONY: help setup demo test package code format generate reproduction corpus zoo detection keystroke batch overhead bench lock clean

help:  ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

setup: $(READY)  ## Create .venv, or refresh it after the requirements changed

demo: $(READY)  ## Show the tool at work on two sample projects
	$(BIN)/python demo/run.py

test: package  ## Formatting, lint, types, every test, those in a real VS Code too, and the corpus
	$(BIN)/python scripts/workbench.py fetch
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	npm run --silent check
	npm test --silent
	$(BIN)/pytest
	$(MAKE) corpus

package: $(READY) $(NODE_READY)  ## The .vsix, the wheel and the sdist, in dist/
	$(BIN)/python scripts/package.py

code: package  ## A real VS Code in the browser, with the extension, on the sample project
	$(BIN)/python scripts/workbench.py fetch
	$(BIN)/python scripts/workbench.py open

format: $(READY) $(NODE_READY)  ## Format the code, apply the safe lint fixes
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	npm run --silent format

generate: $(READY)  ## Write the pages and tables that are made from the rules
	$(BIN)/python scripts/generate.py

corpus: $(READY)  ## Fetch the corpus once, compare its findings with the judged ones
	$(BIN)/python -m benchmarks.corpus fetch
	$(BIN)/python -m benchmarks.corpus check

zoo: $(READY) $(PEERS_READY)  ## Detection on the zoo, beside ruff and pyright (ZOO=folder)
	PATH="$(CURDIR)/$(PEERS)/bin:$$PATH" $(BIN)/python -m benchmarks.zoo --peers --run-fixed --drop-annotations $(ZOO)

reproduction: $(READY)  ## Run the examples of each rule, bad, repaired and good, under pytest (OTHER=python of another environment)
	$(BIN)/python -W ignore -m benchmarks.reproduction $(if $(OTHER),--python $(OTHER))

detection: $(READY) $(PEERS_READY) $(SUITES_READY)  ## Plant mistakes in the corpus, count what is found and repaired, here and by other tools
	$(BIN)/python -m benchmarks.corpus fetch
	PATH="$(CURDIR)/$(PEERS)/bin:$$PATH" $(BIN)/python -W ignore -m benchmarks.detection --peers --environment $(SUITES)

keystroke: $(READY) $(PEERS_READY)  ## What a keystroke costs, beside ruff's server, and how it grows
	PATH="$(CURDIR)/$(PEERS)/bin:$$PATH" $(BIN)/python -m benchmarks.keystroke
	$(BIN)/python -m benchmarks.keystroke.dependants
	$(BIN)/python -m benchmarks.keystroke.growth

batch: $(READY) $(PEERS_READY)  ## What checking a whole project costs, beside ruff
	PATH="$(CURDIR)/$(PEERS)/bin:$$PATH" $(BIN)/python -m benchmarks.batch

overhead: $(READY)  ## What tracing changes and costs in a suite: SUITE=folder, OTHER=python of its environment
	$(BIN)/python -m benchmarks.trace $(SUITE) $(if $(OTHER),--python $(OTHER)) --rounds 15 --spread 0.02

bench: reproduction zoo corpus detection keystroke batch overhead  ## Every benchmark

lock: $(READY)  ## Pin requirements/*.in again (uv, in a venv of its own)
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet --disable-pip-version-check uv
	for name in dev bench suites; do $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		requirements/$$name.in --output-file requirements/$$name.txt; done
	$(VENV)-lock/bin/uv pip compile --quiet --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		requirements/bundle.in --output-file requirements/bundle.txt

clean:  ## Remove everything that make made, the corpus too
	rm -rf $(VENV) $(VENV)-lock $(PEERS) $(SUITES) node_modules .vscode-test client/dist corpus dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("awaitest needs Python 3.10 or newer")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) >/dev/null || { \
		$(PYTHON) -m venv --without-pip --clear $(VENV) && $(PYTHON) -m pip --quiet --python $(BIN)/python install pip; }
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(NODE_READY): package.json package-lock.json
	@npm ci --silent
	@touch $@

$(PEERS_READY): $(READY) requirements/bench.txt
	@test -x $(PEERS)/bin/python || $(BIN)/python -m venv --without-pip $(PEERS)
	@$(BIN)/python -m pip --python $(PEERS)/bin/python install -qq --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

$(SUITES_READY): $(READY) requirements/suites.txt
	@test -x $(SUITES)/bin/python || $(BIN)/python -m venv --without-pip $(SUITES)
	@$(BIN)/python -m pip --python $(SUITES)/bin/python install -qq --disable-pip-version-check --no-compile \
		--only-binary :all: --require-hashes -r requirements/suites.txt
	@touch $@
