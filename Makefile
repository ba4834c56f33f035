# Two commands matter: `make demo` and `make test`. Both work on a fresh machine with Python 3.11+, make, git.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test test-all fuzz bench screens bundle deb install lint texts locks sbom audit clean

demo: $(VENV)/.all
	$(BIN)/python -m bench demo $(ARGS)

# The slow ones (whole stories with real processes, kill -9 in a loop) run in CI and by `make test-all`.
test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(if $(CI),,-m "not slow") $(ARGS)

test-all: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# Damaged bytes for every parser, for five minutes each (docs/fuzzing.md). Shorter: ARGS="--seconds 20".
fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz --seconds 300 $(ARGS)

bench: $(VENV)/.test
	$(BIN)/python -m bench wire
	$(BIN)/python -m bench village
	$(BIN)/python -m bench merge
	$(BIN)/python -m bench sticks
	$(BIN)/python -m bench packs
	$(BIN)/python -m bench phones
	$(BIN)/python -m bench phones --half
	$(BIN)/python -m bench footprint

# A picture of every screen, into docs/screens.
screens: $(VENV)/.test
	$(BIN)/python -m bench screens $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/mypy && $(BIN)/lint-imports

# Everything for installing without internet, into dist/. Others: ARGS="--platform win_amd64 --python 311".
bundle: $(VENV)/.test
	$(BIN)/python -m deploy.bundle $(ARGS)

# A Debian package for this machine's Debian, into dist/.
deb: $(VENV)/.test
	$(BIN)/python -m deploy.deb $(ARGS)

# Pins what a release is installed with, with hashes; ARGS=--upgrade takes the newest.
locks: $(VENV)/.release
	$(BIN)/python -m deploy.locks $(ARGS)

# What a release is made of (CycloneDX), into dist/.
sbom: $(VENV)/.all
	$(BIN)/python -m deploy.sbom $(ARGS)

# Known faults in what is pinned; says so where the service can't be asked.
audit: $(VENV)/.release
	$(BIN)/python -m deploy.audit

# Gathers the texts for people into the catalogue, and compiles it.
texts: $(VENV)/.test
	$(BIN)/python -m web.catalogue

$(VENV)/.all: setup.cfg
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]'
	touch $@

$(VENV)/.test: setup.cfg
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@ $(VENV)/.all

$(VENV)/.release: setup.cfg
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[release]'
	touch $@

clean:
	rm -rf $(VENV) demo-data build dist *.egg-info
