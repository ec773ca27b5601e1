# Commands that need nothing but Python >= 3.10, make and a C++ compiler:
#   make demo   own environment, install, segment a CT
#   make test   own environment, install with everything the tests need, checks and tests
#   make bench  the figures in README, measured here
# And with an NVIDIA GPU, a CUDA toolkit and TensorRT (benchmarks/GPU.md):
#   make gpu-check PYTHON=... [GPU_CHECK="options"]   build, verify, time and report there
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
CXX_SOURCES := $(shell find csrc tests -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh')
SOURCES := pyproject.toml setup.py CMakeLists.txt $(shell find csrc efficientscn_trt export training -type f -not -path '*/__pycache__/*' 2>/dev/null)

.PHONY: demo test bench gpu-check lint lint-types format clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(f"Python {sys.version.split()[0]} found, 3.10 or newer needed: make PYTHON=python3.12") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet .
	@touch $@

$(VENV)/.test: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt '.[export,build,train,test,lint]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/efficientscn-trt demo --output demo-output

# From tests/, so that a test's own processes import the installed package too, not the sources beside them.
test: $(VENV)/.test lint
	cd tests && $(abspath $(BIN))/pytest

# README's table: minutes on two cores, with nothing else running.
bench: $(VENV)/.test
	mkdir -p bench-output
	$(BIN)/python benchmarks/peers.py --json bench-output/peers.json --markdown bench-output/peers.md --plot bench-output/peers.png
	$(BIN)/python benchmarks/pipeline.py --json bench-output/pipeline.json --markdown bench-output/pipeline.md --plot bench-output/pipeline.png

# Installs nothing: it builds under build/, with what PYTHON has.
gpu-check:
	$(PYTHON) benchmarks/gpu_check.py $(GPU_CHECK)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CXX_SOURCES)
	$(MAKE) lint-types

# From tests/, so that the installed package is checked, with export/ and training/ in their places. Tests and
# benchmarks are no packages: they find their modules as pytest and the scripts do (mypy_path).
lint-types: $(VENV)/.test
	cd tests && $(abspath $(BIN))/mypy --config-file ../pyproject.toml -p efficientscn_trt
	cd tests && $(abspath $(BIN))/mypy --config-file ../pyproject.toml . ../benchmarks

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_SOURCES)

clean:
	rm -rf $(VENV) build dist demo-output bench-output *.egg-info
