PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test coverage lint format live soak bench lock pyz wheel installs

test: $(READY)
	$(BIN)/pytest -n auto --dist worksteal

# Without the tests that are slow when watched; what those take, others take too.
coverage: $(READY)
	$(BIN)/coverage run -m pytest -m "not property" --ignore tests/contract --ignore-glob 'tests/test_sandbox*.py'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

demo: $(READY)
	$(BIN)/python -m tests.sandbox.demo

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .mypy_cache/imports
	$(BIN)/codespell
	$(BIN)/zizmor --offline --quiet --no-progress .gitea/workflows/*.yml action.yml

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

live: $(READY)  ## needs GITEA_URL and GITEA_TOKEN
	$(BIN)/pytest -m live

soak: $(READY)
	$(BIN)/pytest -n auto --dist worksteal -m property --hypothesis-profile=soak

bench: $(READY)
	$(BIN)/python -m bench

pyz: $(READY)
	$(BIN)/python -m release.pyz dist/registry-gc.pyz

wheel: $(READY)
	$(BIN)/python -m release.wheel dist

installs: $(READY)  ## needs the package index
	$(BIN)/pytest -m pypi

lock: $(READY)
	$(BIN)/pip install uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
