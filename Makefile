# make demo   sets up a fresh machine and runs the main job
# make test   sets up and passes everything: format, lint, types, import contracts, tests, docs
# make help   lists the rest
.PHONY: help setup demo test check tests test-gpu bench clean
VENV ?= .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1

$(VENV)/.ready: pyproject.toml hatch_build.py $(wildcard zoo/evaluate/kernel/*.[ch])
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "detzoo needs Python 3.11 or newer; this is " + sys.version)'
	@echo "Setting up $(VENV): pip fetches PyTorch and what else the zoo needs. This takes minutes; on Linux it is gigabytes, for CUDA."
	python3 -m venv $(VENV)
	$(PY) -m pip install --editable ".[evaluate]"
	touch $@

$(VENV)/.ready-to-test: $(VENV)/.ready
	@echo "Adding what the tests and checks need: a minute or two."
	$(PY) -m pip install --quiet "pip>=25.1"
	$(PY) -m pip install --group test --group lint
	touch $@

help:                          # what can be made
	@sed -n 's/^\([a-z-]*\):.*# /\1\t/p' Makefile | expand -t 16

setup: $(VENV)/.ready          # the zoo alone, in .venv

demo: setup                    # YOLOX-Nano on real photos, measured, on a leaderboard; through a loopback Hub
	$(PY) docs/demo.py

test: check tests              # everything

check: $(VENV)/.ready-to-test  # format, lint, types, import contracts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

tests: $(VENV)/.ready-to-test  # the whole suite, docs included: a process a core, each with one thread for arithmetic
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto

test-gpu: $(VENV)/.ready-to-test  # what only a GPU can show, in a few minutes; skipped, with the reason, where there is none
	$(PY) -m pytest tests/gpu --durations 5

bench: $(VENV)/.ready-to-test  # every benchmark, one table each
	for file in benchmarks/*.py; do $(PY) $$file || exit 1; done

clean:                         # forget the environment and what was built
	rm -rf $(VENV) build dist *.egg-info
