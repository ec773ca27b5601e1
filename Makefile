# Commands that need only Python >= 3.10, make and a C++ compiler:
#   make demo   make an environment, install the package, segment a CT
#   make test   make an environment, install all that the tests need, run checks and tests
#   make bench  measure README's figures on this machine
#   make docs   build the documentation in build/docs
#   make sanitize   run the core and the emulated GPU with sanitizers
#   make fuzz FUZZ_SECONDS=n   search for inputs that bring the package down, or that it reads wrongly
# With an NVIDIA GPU, a CUDA toolkit and TensorRT (benchmarks/GPU.md):
#   make gpu-check PYTHON=... [GPU_CHECK="options"]   build, verify, time and report
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
FUZZ_SECONDS ?= 60
CXX_SOURCES := $(shell find csrc tests -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh')
SOURCES := pyproject.toml setup.py CMakeLists.txt $(shell find csrc efficientscn_trt export training -type f -not -path '*/__pycache__/*' 2>/dev/null)

.PHONY: demo test sanitize sanitize-quick fuzz bench docs gpu-check lint lint-types format clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(f"Python {sys.version.split()[0]} found, 3.10 or newer needed: make PYTHON=python3.12") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet .
	@touch $@

$(VENV)/.test: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt '.[export,build,parquet,ray,sign,train,test,lint,docs]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/efficientscn-trt demo --output demo-output

# Runs in tests/, so that processes started by tests also import the installed package, not the sources. Two
# processes run tests, because most tests use one core.
test: $(VENV)/.test lint docs
	cd tests && $(abspath $(BIN))/pytest -n 2 --dist loadfile
	$(MAKE) sanitize-quick
	$(MAKE) fuzz

# AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer (tests/sanitize/run.py). The quick part
# leaves out what takes longest.
sanitize: $(VENV)/.test
	$(BIN)/python tests/sanitize/run.py

sanitize-quick: $(VENV)/.test
	$(BIN)/python tests/sanitize/run.py --quick

# tests/fuzz/run.py: the same seed tries the same inputs.
fuzz: $(VENV)/.test
	$(BIN)/python tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

# README's table. Takes minutes on two cores. Nothing else should run at the same time.
bench: $(VENV)/.test
	mkdir -p bench-output
	$(BIN)/python benchmarks/peers.py --json bench-output/peers.json --markdown bench-output/peers.md --plot bench-output/peers.png
	$(BIN)/python benchmarks/pipeline.py --json bench-output/pipeline.json --markdown bench-output/pipeline.md --plot bench-output/pipeline.png

# Any warning fails, and so does a reference that leads nowhere.
docs: $(VENV)/.test
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going docs build/docs
	@echo "build/docs/index.html"

# Installs nothing: builds in build/, with the packages that PYTHON has.
gpu-check:
	$(PYTHON) benchmarks/gpu_check.py $(GPU_CHECK)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CXX_SOURCES)
	$(MAKE) lint-types

# Runs in tests/, so that mypy checks the installed package, which contains export/ and training/. Tests,
# benchmarks and examples are not packages: mypy_path lets mypy find their modules as pytest and the scripts do.
lint-types: $(VENV)/.test
	cd tests && $(abspath $(BIN))/mypy --config-file ../pyproject.toml -p efficientscn_trt
	cd tests && $(abspath $(BIN))/mypy --config-file ../pyproject.toml . ../benchmarks ../examples

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_SOURCES)

clean:
	rm -rf $(VENV) build dist demo-output bench-output *.egg-info
