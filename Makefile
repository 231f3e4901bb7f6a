# Everything starts from Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: setup train test check pytest smoke benchmark benchmark-quick

setup: $(READY)

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer, got $$($(PYTHON) --version); say which with PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

train: setup
	$(BIN)/python -m hm3.train +preference=math_heavy

test: check pytest smoke

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: setup
	$(BIN)/python -m pytest

smoke: setup
	$(BIN)/python -m scripts.smoke

# make benchmark NAME=throughput: the full form, which goes on where it was interrupted
benchmark: setup
	@mkdir -p outputs/benchmark
	$(BIN)/python -m scripts.benchmark $(NAME) --out outputs/benchmark/$(NAME).json

benchmark-quick: setup
	@for name in throughput evaluator export parameter tabulate search tuning preferences transfer switches; do \
		line="$$($(BIN)/python -m scripts.benchmark $$name --quick | tail -n 1)" && \
		test -n "$$line" && echo "$$line" || exit 1; \
	done
