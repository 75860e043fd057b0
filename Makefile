# `make help` lists what there is. Needs Python 3.11 or later with venv, and make; nothing else has to be installed.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(VENV)/.runtime
DEV := $(VENV)/.development

# The checks and tests meet no server of anybody's: addresses come from their own stack.
TOOLS := DJANGO_SETTINGS_MODULE=bitvault.settings.checks $(PY)

# Three processes fill the two cores that the figures are promised for: who drives real processes waits a third of the time.
TEST_PROCESSES ?= 3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help venv up down reset manage requirements test test-quick coverage chromium soak bench store check format lint types imports migrations openapi mail module deployment

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- running -----------------------------------------------------------------------------------------------------------------

up: $(RUN) ## start BitVault here (BITVAULT_PORT=8000 chooses the port); Ctrl-C stops it
	@$(PY) -m bitvault.stack up

down: $(RUN) ## end the BitVault that runs here
	@$(PY) -m bitvault.stack down

reset: $(RUN) ## delete everything that BitVault keeps in var/, after asking (YES=1 agrees beforehand)
	@$(PY) -m bitvault.stack reset $(if $(YES),--yes)

manage: $(RUN) ## run one of manage.py's commands on the BitVault that runs here (ARGS="createsuperuser")
	@$(PY) -m bitvault.stack manage $(ARGS)

# --- a new module ------------------------------------------------------------------------------------------------------------

module: $(DEV) ## write the rooms of a new module and register it (NAME=labels TITLE="Labels")
	@$(PY) -m scaffold $(NAME) $(if $(TITLE),"$(TITLE)")

# --- environment -------------------------------------------------------------------------------------------------------------

venv: $(DEV) ## make the virtual environment with everything that checks and tests need

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "BitVault needs Python 3.11 or later; name one with 'make PYTHON=/path/to/python'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }  # half of one would be taken for a whole one

$(RUN): requirements.txt | $(PY)
	@echo "installing BitVault's pinned packages into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUN)
	@echo "installing the packages of checks and tests into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@touch $@

requirements: $(DEV) ## compile requirements*.in into pinned, hashed requirements*.txt
	@for name in requirements requirements-dev; do \
		$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
			--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" -o $$name.txt $$name.in || exit 1; \
	done

# --- tests -------------------------------------------------------------------------------------------------------------------

test: $(DEV) chromium store opensearch-here ## run all tests on a throw-away stack (ARGS='tests/stack -k port' narrows)
	@if command -v chromium >/dev/null; then chosen=""; else chosen="not browser"; fi; \
		$(PY) -m pytest -n $(TEST_PROCESSES) --dist loadfile -m "$$chosen" $(ARGS)

# Leaves out what drives a browser, starts processes to use or kill them, or uses the store: what is worth a look after every change.
test-quick: $(DEV) store ## run the tests that need no browser, no store and no processes of BitVault's (ARGS='tests/apps' narrows)
	@$(PY) -m pytest -n 2 --dist loadfile -m "not browser and not journey and not store" $(ARGS)

# Slower by half, so not in every run. What no test has run stands in var/coverage; the floor is raised when it can be.
coverage: $(DEV) store ## run the tests without processes and browser, measure what they run, and fail below the floor
	@rm -rf var/coverage && mkdir -p var/coverage
	@$(PY) -m coverage run -m pytest -n $(TEST_PROCESSES) --dist loadfile -m "not browser and not journey" $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage html --quiet
	@$(PY) -m coverage report --skip-covered

# Debian's package, because it is the one that the tests are known to pass with.
chromium:
	@command -v chromium >/dev/null && exit 0; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing Chromium"; \
			{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium; } \
				>/dev/null 2>&1; \
		fi; \
		command -v chromium >/dev/null || echo "Chromium is not installed here: what needs a browser (the tests marked 'browser') is left out."

# Built once, where tests and figures can show how far it is; `make up` does the same by itself.
store: $(RUN)
	@$(PY) -m bitvault.stack store

# What a node needs that Maven does not bring, told where the tests are about to run.
.PHONY: opensearch opensearch-here
opensearch-here: $(DEV)
	@$(PY) -m dev.opensearch

opensearch: $(DEV) ## run an OpenSearch node for development on loopback (DIRECTORY=/tmp/opensearch keeps it); needs Java 17 and Maven
	@$(PY) -m dev.opensearch $(or $(DIRECTORY),/tmp/bitvault-opensearch) $(ARGS)

soak: $(DEV) chromium store ## use a BitVault and kill its processes for ten minutes, then check that nothing is lost (ARGS="--minutes 2")
	@$(PY) -m soak $(ARGS)

bench: $(DEV) store ## measure BitVault on a throw-away stack and print the figures
	@$(PY) -m benchmarks $(ARGS)

# --- checks ------------------------------------------------------------------------------------------------------------------

check: lint types imports migrations openapi-check mail-check deployment ## everything that can be told without running BitVault

format: $(DEV) ## lay the code out and put imports in order
	@$(VENV)/bin/ruff format
	@$(VENV)/bin/ruff check --fix

lint: $(DEV) ## layout and ruff's rules
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/ruff check

types: $(DEV) ## mypy, strict
	@$(VENV)/bin/mypy

imports: $(DEV) ## who may import whom
	@$(VENV)/bin/lint-imports

texts: $(DEV) ## gather what people read into the catalogues of all languages, and compile these
	@$(TOOLS) manage.py texts

texts-check: $(DEV) ## fail when a text is not in the catalogues, or not translated
	@$(TOOLS) manage.py texts --check

# Django would compare with a database as well; these settings have none, and say so on every run.
migrations: $(DEV) ## fail when a model has changed without a migration
	@$(TOOLS) -W 'ignore:Got an error checking a consistent migration history' manage.py makemigrations --check --dry-run

openapi: $(DEV) ## write docs/openapi.json anew
	@$(TOOLS) manage.py openapi

mail: $(DEV) ## compile mails from MJML to the HTML templates beside them
	@$(TOOLS) manage.py compile_mail

.PHONY: mail-check
mail-check: $(DEV)
	@$(TOOLS) manage.py compile_mail --check

.PHONY: openapi-check
openapi-check: $(DEV)
	@$(TOOLS) manage.py openapi --check

deployment: $(DEV) ## lint Dockerfile, compose.yaml and the alert rules
	@$(VENV)/bin/hadolint Dockerfile
	@$(VENV)/bin/yamllint --strict --config-data '{extends: default, rules: {line-length: {max: 130}, document-start: disable, braces: {max-spaces-inside: 0}}}' \
		compose.yaml deploy/store/compose.seaweedfs.yaml deploy/opensearch/compose.opensearch.yaml deploy/opensearch/opensearch.yml \
		deploy/prometheus/bitvault.rules.yml
	@$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml deploy/store/compose.seaweedfs.yaml deploy/opensearch/compose.opensearch.yaml
