# Two commands, each of which does all set-up on a fresh machine: `make bench` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
OUT ?= results
WORKERS ?= $(shell nproc 2>/dev/null || echo 1)

export OMP_NUM_THREADS := 1
export NUMBA_CACHE_DIR := $(abspath $(VENV))/numba-cache
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: bench test lint types tests docs wheel oldest speed axelrod clean

bench: $(VENV)/.bench
	$(BIN)/stratagem bench --suite core --workers $(WORKERS) --out $(OUT)
	@echo "the report lies in $(OUT)/report.html"

test: lint types tests docs wheel oldest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

tests: $(VENV)/.test
	$(BIN)/python -m pytest -q -m "not slow"

docs: $(VENV)/.test
	$(BIN)/python docs/gen_pages.py --check
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

# The wheel, installed by itself and used from outside the repository.
wheel: $(VENV)/.test
	rm -rf build dist $(VENV)/wheel
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -w dist .
	$(PYTHON) -m venv --system-site-packages --without-pip $(VENV)/wheel
	$(BIN)/python -m pip --python $(VENV)/wheel/bin/python install -q dist/*.whl
	cd $(VENV)/wheel && ./bin/python -P -c "import gymnasium, stratagem; \
	env = gymnasium.make('stratagem/ContentDisengagement-v0', preset='cdnow'); env.reset(seed=0); env.step(0); \
	assert 'site-packages' in stratagem.envs.__file__, stratagem.envs.__file__"
	cd $(VENV)/wheel && ./bin/stratagem solve LogitPricing-v0

# The oldest supported Gymnasium, PettingZoo and NumPy, without stable-baselines3.
oldest: $(VENV)-oldest/.test
	$(VENV)-oldest/bin/python -m pytest -q tests/test_conformance.py tests/test_core.py \
	tests/test_planning.py tests/test_mutants.py tests/games

# Speed against hand-written peers, as ratios; never part of the tests.
speed: $(VENV)/.test
	$(BIN)/python benchmarks/views.py

# The Axelrod library in an environment of its own: our players of its strategies, and how fast
# both play matches. Never part of the tests: the library brings 1.6 GB.
axelrod: $(VENV)-axelrod/.ready
	$(VENV)-axelrod/bin/python -m pytest -q tests/test_axelrod.py
	$(VENV)-axelrod/bin/python benchmarks/memory_one_matches.py --axelrod $(VENV)-axelrod/bin/python

$(VENV)/.bench: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[bench,fast]"
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install -q -c constraints.txt torch
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[all]"
	touch $@

$(VENV)-oldest/.test: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install -q --upgrade pip
	$(VENV)-oldest/bin/python -m pip install -q -c constraints-oldest.txt -e ".[fast]" pytest hypothesis
	touch $@

$(VENV)-axelrod/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-axelrod
	$(VENV)-axelrod/bin/python -m pip install -q --upgrade pip
	$(VENV)-axelrod/bin/python -m pip install -q -c constraints.txt torch
	$(VENV)-axelrod/bin/python -m pip install -q -c constraints.txt -e . axelrod==4.14.0 pytest hypothesis
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-axelrod build dist docs/_build $(OUT)
