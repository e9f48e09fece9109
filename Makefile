# make demo   install, train the default agent on Copy, print its program, check it on larger memories
# make test   install, lint, run the whole test suite
# make recheck   put the evidence of all shipped proofs to z3 and cvc5 again
# make docs     build the documentation as a site, build/site, without a warning; check every link in it
# make tutorials   run the tutorials; notebooks with their outputs go into build/tutorials
# make wheel    build sdist and wheel into dist, and check what an index would check
# make wheel-test   install the wheel where there is no compiler, outside of the checkout; run the demo's first minute
# make sanitize   run the tests of machine and agents on native libraries that report wrong use of memory
PYTHON ?= python3
SEED ?= 0
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE  # modules are compiled once, when they are first imported, not all at installation

.PHONY: help demo test docs tutorials wheel wheel-test recheck sanitize mutants lint format install clean

help:
	@sed -n 's/^# //p' Makefile

demo: install
	$(BIN)/nram demo --seed $(SEED)

test: install lint
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

recheck: install
	ls agents/zoo/*/*.proof.zip | sed 's/.proof.zip$$//' | xargs -P 2 -I{} $(BIN)/nram recheck {}.proof.zip --program {}.json

docs: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	$(BIN)/python -m docs.site.check build/site
	$(BIN)/pytest -q tests/built_site.py

tutorials: install
	$(BIN)/python -m docs.run_tutorials build/tutorials

wheel: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,release]'
	.ci/wheel $(BIN)

wheel-test: wheel
	.ci/wheel-test $(BIN) dist/*.whl

sanitize: install
	.ci/sanitize $(BIN)/python

mutants: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,mutation]'
	nice $(BIN)/mutmut run --max-children 1
	$(BIN)/mutmut results

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt setup.py $(wildcard */native/* nram_env/machine/backends/native/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv build dist mutants *.egg-info .mypy_cache .pytest_cache .ruff_cache
