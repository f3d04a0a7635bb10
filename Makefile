# Everything a user does starts here; `make help` lists it.
PYTHON ?= python3
VENV   ?= .venv
# A CPU-only PyTorch saves gigabytes: make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Where the long trainings run: cpu or cuda.
DEVICE ?= cpu

PY       := $(VENV)/bin/python
HARDWEAR := $(VENV)/bin/hardwear
PIP      := $(PY) -m pip install --quiet --disable-pip-version-check

APT_DEMO := python3-venv gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm
APT_TEST := $(APT_DEMO) g++ clang doctest-dev dbus

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench reproduction studies shipped firmware setup setup-test clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: setup ## From UCI-HAR to predictions on an emulated Cortex-M4, then a report
	$(HARDWEAR) demo --out build/demo

# One worker a core, each with one thread: more threads than cores slow torch down several times.
test: setup-test lint ## Set up what the tests need and run them all
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) tools/pio.py test -e native

lint: $(VENV)/.dev ## Style and types
	$(VENV)/bin/ruff check python tests tools
	$(VENV)/bin/ruff format --check python tests tools
	$(VENV)/bin/mypy

bench: setup ## Measure what docs/bench.md states (long), and write it anew
	$(PY) tools/bench.py

# The temperatures are what the calibration study found on held-out training subjects.
shipped: setup ## Train the bundles in models/ anew and generate the headers (long)
	$(HARDWEAR) train --preset shipped --out runs/compact-shipped/seeds/seed0
	$(HARDWEAR) train --preset nano --out runs/nano-nano/seeds/seed0
	$(HARDWEAR) convert runs/compact-shipped/seeds/seed0 --out models/compact --temperature 0.563
	$(HARDWEAR) convert runs/nano-nano/seeds/seed0 --out models/nano --temperature 0.62
	$(HARDWEAR) generate models/compact

reproduction: setup ## Run what docs/reproduction.md still lacks (days on two cores; a GPU: DEVICE=cuda)
	$(HARDWEAR) reproduce --device $(DEVICE)

studies: setup ## Measure what docs/board-model.md states (hours), and write it anew
	$(HARDWEAR) study seeds --preset shipped --jobs 2
	$(HARDWEAR) study seeds --preset nano --jobs 2
	$(HARDWEAR) study leave-one-out --preset shipped --jobs 2
	$(HARDWEAR) study robustness models/compact
	$(HARDWEAR) study calibration models/compact --preset shipped
	$(HARDWEAR) study calibration models/nano --preset nano
	$(HARDWEAR) study search --jobs 2
	$(HARDWEAR) study pareto

firmware: setup ## Build the emulated board's firmware with the committed bundle
	$(HARDWEAR) build --env emulator

setup: apt-demo $(VENV)/.demo
setup-test: apt-test $(VENV)/.demo $(VENV)/.dev

.PHONY: apt-demo apt-test
apt-demo:
	@sh tools/apt_packages.sh $(APT_DEMO)
apt-test:
	@sh tools/apt_packages.sh $(APT_TEST)

# torch first and alone: asked for through another package, pip would take the newest one.
$(VENV)/.demo: pyproject.toml | apt-demo
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Hardwear needs Python 3.11 to 3.13, $(PYTHON) is $$($(PYTHON) --version). Next step: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned Python packages into $(VENV) (about 2.5 GB, a few minutes the first time)"
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(sed -n 's/^ *"\(torch==[^"]*\)",/\1/p' pyproject.toml)"
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(PIP) --editable ".[dev]"
	touch $@

clean: ## Remove what was built (the venv and downloaded data stay)
	rm -rf build .pio
