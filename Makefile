# `make` alone lists the commands. They need Python 3.11 or newer, git and make; the rest is
# installed into .venv, once, and again when requirements.txt or pyproject.toml changes.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
BOOK := _build/html
INSTALLED := $(VENV)/.installed

# What a user has configured for Jupyter and IPython neither changes the book nor is changed by it.
OWN := $(abspath $(VENV))/user
export IPYTHONDIR := $(OWN)/ipython
export JUPYTER_CONFIG_DIR := $(OWN)/jupyter
export JUPYTER_DATA_DIR := $(OWN)/data
export JUPYTERLAB_SETTINGS_DIR := $(OWN)/lab/settings
export JUPYTERLAB_WORKSPACES_DIR := $(OWN)/lab/workspaces
export JUPYTER_PREFER_ENV_PATH := 1

# Warnings are errors, references without a target too; all of them are shown before the end.
BUILD := $(BIN)/jupyter-book build book --path-output . --config _config.yml \
  --toc "$(CURDIR)/_toc.yml" -W -n --keep-going

.DEFAULT_GOAL := help
.PHONY: help install book pdf picture test test-oldest test-newest test-web reproduce check mutate attack mutate-kernel mutants bench bench-peers bench-record bench-web experiment lab serve lint links clean distclean

help: ## list these commands
	@echo "Usage: make COMMAND [PYTHON=python3.13] [VENV=.venv-3.13]"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(INSTALLED): requirements.txt pyproject.toml package-lock.json tools/configure_environment.py \
  tools/install_node_packages.py $(wildcard tools/save_before_run/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is not there or is older than Python 3.11."; \
	  echo "Name another one, for example: make PYTHON=python3.11 book"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/python tools/configure_environment.py
	$(BIN)/python tools/install_node_packages.py
	@mkdir -p $(OWN)
	@touch $@

install: $(INSTALLED) ## install everything into .venv (the other commands do so by themselves)

book: $(INSTALLED) ## execute every chapter and build _build/html; a warning or a failing cell is an error
	$(BUILD) --builder html
	@echo "The book is at $(BOOK)/index.html"

picture: book ## make docs/page.webp, the picture of README, from the built site (CHROMIUM=/path/to/chromium)
	$(BIN)/python -m tools.make_picture $(BOOK) docs/page.webp

pdf: book ## print the whole book into _build/book.pdf with Chromium; takes some minutes
	$(BIN)/python tools/make_pdf.py $(BOOK) _build/book.pdf
	@echo "The book is at _build/book.pdf"

# All tests of a file run in one process, one file a core. Of the website each core takes half of all
# tests, in their order, and what the other has left at the end: a page is loaded once for all its tests.
SIDE_BY_SIDE := --numprocesses auto --dist

test: $(INSTALLED) ## run the test suite
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) loadfile

test-oldest: ## test the package with the oldest versions that pyproject.toml allows, in .venv-oldest
	$(PYTHON) tools/try_versions.py oldest $(VENV)-oldest $(VERSIONS_OPTIONS)

test-newest: ## the same with the newest versions that there are, in .venv-newest
	$(PYTHON) tools/try_versions.py newest $(VENV)-newest $(VERSIONS_OPTIONS)

test-web: book ## test the built pages and JupyterLab in Chromium (CHROMIUM=/path/to/chromium)
	$(BIN)/python -m pytest tests/web $(SIDE_BY_SIDE) worksteal $(WEB_TEST_OPTIONS)

reproduce: book ## build a second time, elsewhere and without a network; all pages must be the same
	$(BIN)/python tools/reproduce.py $(BOOK)

check: $(INSTALLED) ## verify the printed equations of all chapters, without executing the rest of them
	$(BIN)/python -m texproof check book/*.md

mutate: $(INSTALLED) ## edit the printed equations in one place at a time; each edit must be refuted
	$(BIN)/python -m texproof mutate book/*.md

attack: $(INSTALLED) ## try to prove what is false: all refuted equations, all edits of proved ones, delicate claims: hours
	PROOF_TESTS=whole $(BIN)/python -m pytest tests/texproof/proof --numprocesses auto --dist worksteal -o faulthandler_timeout=0

mutate-kernel: $(INSTALLED) ## edit what proofs trust in one place at a time; replays and tests must notice: hours (SAMPLE=200)
	$(BIN)/python -m tools.mutate_kernel $(if $(SAMPLE),--sample $(SAMPLE))

# mutmut lies beside the environment, not in it, as JAX does.
MUTATION := $(VENV)/mutation
MUTMUT := OMP_NUM_THREADS=1 PYTHONPATH="$(abspath $(MUTATION))" $(BIN)/python

mutants: $(MUTATION)/.installed ## edit the package in one place at a time; the tests must notice: hours (MUTANTS='nndl_rnn.lstm.*' or SAMPLE=200)
ifdef SAMPLE
	-$(MUTMUT) $(MUTATION)/bin/mutmut run none > /dev/null # makes the mutants, and tries none of them
	$(MUTMUT) $(MUTATION)/bin/mutmut run $$($(MUTMUT) tools/mutation_scores.py --sample $(SAMPLE))
else
	$(MUTMUT) $(MUTATION)/bin/mutmut run $(MUTANTS)
endif
	$(MUTMUT) tools/mutation_scores.py

$(MUTATION)/.installed: tools/mutation.txt $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
	  --target $(MUTATION) --requirement tools/mutation.txt
	@touch $@

# JAX lies beside the environment, not in it, so that nothing but the benchmark sees it.
PEERS := $(VENV)/peers
BENCH := PYTHONPATH=$(PEERS) $(BIN)/python -m benchmarks $(BENCH_OPTIONS)

bench: $(INSTALLED) ## measure speed against PyTorch and the matrix products alone; time check, builds, tests (BENCH_OPTIONS=--quick)
	$(BENCH)

bench-peers: $(PEERS)/.installed ## the same against JAX too, which is installed beside the environment
	$(BENCH)

bench-record: $(PEERS)/.installed ## the same, and write what the book's chapter on performance shows
	$(BENCH) --json book/_data/performance.json

$(PEERS)/.installed: benchmarks/peers.txt $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
	  --target $(PEERS) --requirement benchmarks/peers.txt
	@touch $@

bench-web: book ## compare the website with the one that Jupyter Book builds by default (WEB_OPTIONS=--record)
	$(BIN)/python -m benchmarks.website $(WEB_OPTIONS)

experiment: $(INSTALLED) ## repeat a long experiment and record it: hours (NAME='long_memory --jobs 2')
	PYTHONPATH=book $(BIN)/python -m experiments $(NAME)

lab: $(INSTALLED) ## open JupyterLab; a double click on a chapter opens it as a notebook
	PYTHONPATH="$(CURDIR)/tools" $(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/book \
	  --LanguageServerManager.autodetect=False \
	  --ContentsManager.pre_save_hook=chapter_saving.keep_unchanged_cells $(LAB_OPTIONS)

serve: book ## build the book and show it on localhost
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(BOOK) 8000

lint: $(INSTALLED) ## look for mistakes with ruff and mypy, in the cells of chapters too
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/lint_cells.py book/*.md
	$(BIN)/mypy

links: $(INSTALLED) ## follow every link to another site; needs the network
	$(BUILD) --builder linkcheck

clean: ## remove what was built and the caches of tools, but not .venv
	rm -rf _build mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis

distclean: clean ## remove .venv, .venv-oldest and .venv-newest as well
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-newest
