# make demo   sets up a fresh machine and runs the main job
# make test   sets up and passes everything: format, lint, types, import contracts, tests, docs
# make help   lists the rest
.PHONY: help setup demo docs test check tests test-gpu test-oldest test-latest constraints bench bench-quick clean
VENV ?= .venv
PY := $(VENV)/bin/python
# The exact versions that an environment is made of; empty takes the newest that the ranges in pyproject.toml allow.
CONSTRAINTS ?= constraints.txt
PINNED := $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS) --build-constraint $(CONSTRAINTS))
TOOLS := $(VENV)-tools
RESOLVE := $(TOOLS)/bin/uv pip compile --quiet --all-extras --group test --no-annotate --no-emit-index-url --no-emit-find-links
export PIP_DISABLE_PIP_VERSION_CHECK = 1

$(VENV)/.ready: pyproject.toml hatch_build.py $(CONSTRAINTS) $(wildcard zoo/evaluate/coco/kernel/*.[ch])
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "detzoo needs Python 3.11 or newer; this is " + sys.version)'
	@echo "Setting up $(VENV): pip fetches PyTorch and what else the zoo needs. This takes minutes; on Linux it is gigabytes, for CUDA."
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) pip setuptools
	$(PY) -m pip install $(PINNED) --editable ".[evaluate,video]"
	$(PY) -m compileall -q zoo plugins  # as pip does where it copies: some machines let no process write byte code
	rm -f $(VENV)/.constraints && $(if $(CONSTRAINTS),cp $(CONSTRAINTS) $(VENV)/.constraints,true)
	touch $@

$(VENV)/.ready-to-test: $(VENV)/.ready
	@echo "Adding what the tests and checks need: a minute or two."
	$(PY) -m pip install $(PINNED) --group test --group lint
	touch $@

$(VENV)/.ready-to-bench: $(VENV)/.ready-to-test
	$(PY) -m pip install $(PINNED) --group bench
	touch $@

$(TOOLS)/bin/uv:
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --constraint constraints.txt uv

help:                          # what can be made
	@sed -n 's/^\([a-z-]*\):.*# /\1\t/p' Makefile | expand -t 16

setup: $(VENV)/.ready          # the zoo alone, in .venv

demo: setup                    # scenes and a clip rendered, detected in, measured, on a leaderboard; without a network
	$(PY) docs/demo.py

docs: $(VENV)/.ready-to-test   # the documentation as a site that can be searched, in build/site; a dead link stops it
	$(PY) docs/build_site.py

test: check tests              # everything

check: $(VENV)/.ready-to-test  # format, lint, types, import contracts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

tests: $(VENV)/.ready-to-test  # the whole suite, docs included: a process a core, each with one thread for arithmetic
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto --dist worksteal

test-gpu: $(VENV)/.ready-to-test  # what only a GPU can show, in a few minutes; skipped, with the reason, where there is none
	$(PY) -m pytest tests/gpu --durations 5

test-oldest: $(TOOLS)/bin/uv   # the suite with the lower ends of the ranges, in an environment of its own
	mkdir -p build
	$(RESOLVE) --resolution lowest-direct --python $$(command -v python3) pyproject.toml --output-file build/oldest.txt
	# Old libraries call what newer ones of others deprecate, and torch 2.9 warns of its own export: neither is ours to mend.
	PYTEST_ADDOPTS='-W ignore::DeprecationWarning -W "ignore:The given buffer is not writable"' $(MAKE) tests VENV=$(VENV)-oldest CONSTRAINTS=build/oldest.txt

test-latest:                   # the suite with the newest versions, in an environment of its own, made anew
	rm -rf $(VENV)-latest
	$(MAKE) tests VENV=$(VENV)-latest CONSTRAINTS=

constraints: $(TOOLS)/bin/uv   # renews constraints.txt: the newest versions that fit together, for every Python and system
	$(RESOLVE) --group lint --group bench --group setup --universal --python-version 3.11 --upgrade \
	  --custom-compile-command "make constraints" pyproject.toml --output-file constraints.txt

bench: $(VENV)/.ready-to-bench  # every benchmark, one table each
	for file in benchmarks/*.py; do case $$file in */promises.py) ;; *) $(PY) $$file || exit 1 ;; esac; done

bench-quick: $(VENV)/.ready-to-bench  # whether each promise of the docs holds here
	$(PY) benchmarks/quick.py

clean:                         # forget the environment and what was built
	rm -rf $(VENV) $(TOOLS) $(VENV)-oldest $(VENV)-latest build dist *.egg-info
