PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VIDEO ?=
OUT ?= out

.PHONY: run test test-train lint types docs clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'filmroom needs Python 3.11 or newer')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

$(VENV)/.installed-train: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet "torch==2.13.0"
	$(BIN)/python -m pip install --quiet -e ".[train]"
	touch $@

run: $(VENV)/.installed
ifeq ($(VIDEO),)
	$(BIN)/filmroom simulate --sport soccer --minutes 0.2 --seed 7 -o $(OUT)/simulated
	$(BIN)/filmroom run $(OUT)/simulated/video.mp4 --sport soccer -o $(OUT)/run
else
	$(BIN)/filmroom run "$(VIDEO)" -o "$(OUT)/$(basename $(notdir $(VIDEO)))"
endif

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 -m "not train"

test-train: $(VENV)/.installed-train
	$(BIN)/python -m pytest -n 2 -m train

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.installed-dev
	$(BIN)/mypy

clean:
	rm -rf $(VENV) out dist build
