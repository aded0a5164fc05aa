# Every path here is relative: the project may live in a folder whose name has spaces.
PORT ?= 8000
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
RUN := $(BIN)/python
# Checks run with settings of their own: nothing of a developer's .env reaches them.
CHECK_ENV := DJANGO_SETTINGS_MODULE=tests.settings
DEPLOY_ENV := SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(64))') DEBUG=false \
	ALLOWED_HOSTS=example.com GROQ_API_KEY=not-a-real-key ANONYMOUS_USER= HTTPS=true

.PHONY: help run install install-dev test test-postgresql bench-retrieval bench-streams check clients check-clients lint format types imports migrations schema deploy audit lock clean browser bench-scale bench-dashboard screenshots bench-scaling install-bench bench bench-memory
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: install .env ## Install, migrate, seed and serve on 127.0.0.1:$(PORT)
	@$(RUN) manage.py serve --port $(PORT)

install: .venv/installed ## Install what running needs into .venv

install-dev: .venv/installed-dev ## Install what the tests and checks need too

.venv/installed: requirements.txt
	@$(call install_from,requirements.txt)
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@$(call install_from,requirements-dev.txt)
	@touch $@

install-bench: .venv/installed-bench

.venv/installed-bench: requirements-bench.txt .venv/installed-dev
	@$(call install_from,requirements-bench.txt)
	@touch $@

.env:
	@umask 077; printf 'DEBUG=true\nSECRET_KEY=%s\n# GROQ_API_KEY=\n' \
		"$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))')" > .env
	@echo 'Wrote .env with development settings and a fresh secret.'

test: install-dev ## Run all tests, on SQLite
	@$(RUN) -m pytest -n 2

test-postgresql: install-dev ## Run them on PostgreSQL with pgvector, which comes with the test requirements
	@TEST_ENGINE=postgresql $(RUN) -m pytest -n 2 --ignore tests/browser  # a browser meets the same service either way

browser: install-dev ## Run the tests in a browser; installs Debian's Chromium when there is none and it may
	@sh tests/browser/install.sh
	@$(RUN) -m pytest tests/browser

screenshots: install-dev ## Retake the pictures in docs/images
	@sh tests/browser/install.sh
	@$(RUN) -m tests.browser.screenshots

bench: install-bench ## Race the service and a FastAPI reference, side by side; ARGS="--help" for more
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks.serving $(ARGS)

bench-memory: install-bench ## What the service takes: at rest, under load, over 10,000 turns, while it reads a large file
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks.memory $(ARGS)

bench-retrieval: install-dev ## Time search and indexing beside other systems; ARGS="--store 1000000 ..." for more
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks $(ARGS)

bench-streams: install-dev ## Time what a stream adds to the provider's first token
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks.first_token

bench-dashboard: install-dev ## Time the admin's dashboard over a ledger of a million rows
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks.dashboard $(ARGS)

bench-scale: install-dev ## Time every endpoint and admin page on a large database beside an empty one; ARGS for its size
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks.scale $(ARGS)

bench-scaling: install-dev ## What this machine carries: turns, streams, connections, by processes and database
	@$(CHECK_ENV) $(RUN) -m tests.benchmarks.carrying

check: lint types imports migrations schema deploy test test-postgresql ## Everything that must be green before a commit

lint: install-dev ## ruff
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

format: install-dev ## Let ruff rewrite the code
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

types: install-dev ## mypy, strict
	@$(CHECK_ENV) $(RUN) -m mypy .

imports: install-dev ## The import contracts
	@$(BIN)/lint-imports

migrations: install-dev ## No model without its migration
	@$(CHECK_ENV) $(RUN) manage.py makemigrations --check --dry-run

schema: install-dev ## The OpenAPI document is complete and without a warning
	@$(CHECK_ENV) $(RUN) manage.py spectacular --validate --fail-on-warn --file /dev/null

deploy: install-dev ## Django's deployment checks with production settings
	@$(DEPLOY_ENV) $(RUN) manage.py check --deploy --fail-level WARNING

audit: install-dev ## Known weaknesses of what is installed in production; asks the package index
	@$(BIN)/pip-audit --requirement requirements-production.txt --no-deps --disable-pip --progress-spinner off

clients: install-dev ## Write the Postman collection and the file of requests in docs/clients anew
	@$(CHECK_ENV) $(RUN) -m tests.clients

check-clients: install-dev ## Prove the OpenAPI document with newman and generated clients; installs them from npm
	@mkdir -p var/clients && cp tests/clients/programs/package.json var/clients/
	@npm install --prefix var/clients --no-audit --no-fund --silent
	@$(RUN) -m pytest tests/clients

lock: install-dev ## Compile the requirement files anew from their .in files
	@$(RUN) -m uv pip compile -q --universal --python-version 3.11 requirements.in -o requirements.txt
	@for name in production dev bench; do $(RUN) -m uv pip compile -q --universal --python-version 3.11 -c requirements.txt \
		requirements-$$name.in -o requirements-$$name.txt || exit 1; done

clean: ## Remove the virtual environment, the development database and caches
	@rm -rf .venv .env var staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

define install_from
	test -n "$(PYTHON)" || { echo 'BOT GPT needs Python 3.11 or newer; none was found.' >&2; exit 1; }; \
	test -x $(RUN) || "$(PYTHON)" -m venv .venv || exit 1; \
	echo 'Installing $(1) into .venv (a minute or two the first time) ...'; \
	{ command -v uv >/dev/null && uv pip install -q --python $(RUN) -r $(1); } \
		|| $(RUN) -m pip install -q --disable-pip-version-check -r $(1)
endef
