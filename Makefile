# Everything a person runs. Needs Python 3.11 or newer and make; the rest is set up below, a C
# compiler too where there is none.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test check format lock messages security sbom bench screenshots docs clean

# The engine's C part is compiled anew only when its sources have changed.
setup: $(STAMP)
	@$(BIN)/python -m scheduler.matching.compiler

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m scheduler.matching.compiler --which >/dev/null 2>&1 || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r compiler.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/chungtay demo

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Pins every dependency, with the hash of each of its files and no address to fetch it from.
PIN := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --quiet --upgrade

lock: setup
	$(PIN) --extra test --extra dev pyproject.toml build-requirements.in -o requirements.lock
	$(PIN) compiler-requirements.in -o compiler.lock

messages: setup
	$(BIN)/python -m scheduler.locale.extract

# What SECURITY.md answers; the last step asks the package index for advisories, and fails where it
# cannot: a package that nobody looked up is not a package without a fault.
security: setup sbom
	$(BIN)/bandit --quiet --recursive scheduler --configfile pyproject.toml
	$(BIN)/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
	  --requirement requirements.lock --ignore-vuln GHSA-wj6h-64fc-37mp

# The bill of materials, CycloneDX 1.6: every package of the environment with its licence.
sbom: setup
	mkdir -p build
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file build/sbom.json .venv

# Nearly two hours, most of them bench.matching's; `python -m bench --help` tells how to run parts,
# which come together in docs/benchmarks.md.
bench: setup
	$(BIN)/python -m bench

screenshots: setup
	$(BIN)/python -m bench.screenshots

# Guides with pictures of every page, into build/site; `python -m docsite --quick` leaves them out.
docs: setup
	$(BIN)/python -m docsite

clean:
	rm -rf .venv var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis scheduler/matching/_kernel*
