# Every target works on a fresh clone with Python 3.11 or later, make and git: what it needs it sets up itself.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.14 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && echo $$p && break; done)
LOCK := requirements/dev.txt
INSTALLED := $(VENV)/installed.txt

TYPED := layers/hub/python cli local stand_in_gitlab tests $(if $(wildcard benchmarks/*.py),benchmarks)
FILES := git ls-files -z --cached --others --exclude-standard

export SAM_CLI_TELEMETRY := 0
export PYTHONPATH := layers/hub/python
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help:  ## Tell what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

# ---- The environment: a copy of the lock stands for "this is what is installed".
# The lock is complete, so nothing is resolved (--no-deps): older pips fail to match extras in a hashed lock.

.PHONY: setup
setup: $(INSTALLED)  ## Set up .venv from the locked, hashed requirements

$(INSTALLED): $(LOCK)
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 with venv is needed; name one with PYTHON=…" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@cmp -s $(LOCK) $@ || { echo "Installing $(LOCK) into $(VENV) …"; $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --no-deps --require-hashes --requirement $(LOCK); }
	@cp $(LOCK) $@

.PHONY: lock
lock: setup  ## Lock the newest versions that fit requirements/*.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
		requirements/runtime.in --output-file layers/dependencies/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
		requirements/console.in --output-file layers/console/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --upgrade \
		requirements/cli.in --output-file cli/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
		requirements/exporter.in --output-file layers/exporter/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
		--constraint layers/dependencies/requirements.txt --constraint layers/console/requirements.txt \
		--constraint layers/exporter/requirements.txt --constraint cli/requirements.txt requirements/dev.in --output-file $(LOCK)

# ---- Trying it out

.PHONY: demo
demo: setup  ## Show everything on this machine, without AWS or Docker (ONCE=1: end after the report)
	@$(BIN)/python -m local demo $(if $(ONCE),--once) $(ARGS)

.PHONY: local
local: setup  ## Run the bundle for your own GitLab; prints URL and owner token
	@$(BIN)/python -m local up $(ARGS)

.PHONY: gitlab
gitlab: setup  ## Run the stand-in GitLab alone; prints its address and tokens
	@$(BIN)/python -m local gitlab $(ARGS)

.PHONY: sam-local
sam-local: setup  ## Prove the functions under `sam local` (needs a Docker Engine)
	@$(BIN)/python -m local.sam

# ---- Proving it

.PHONY: test
test: setup  ## Run the whole test suite
	@$(BIN)/python -m pytest --numprocesses auto --dist loadscope --no-loadscope-reorder $(ARGS)

.PHONY: check
check: setup formatting lint types imports template security secrets test  ## What CI runs: format, lint, types, security, tests

.PHONY: format
format: setup  ## Put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: formatting lint types imports template security secrets
formatting: setup
	$(BIN)/ruff format --check .
lint: setup
	$(BIN)/ruff check .
types: setup
	$(BIN)/mypy --strict $(TYPED)
	@for app in functions/*/app.py; do $(BIN)/mypy --strict $$app || exit 1; done
imports: setup
	$(BIN)/lint-imports --no-logo
template: setup
	$(BIN)/sam validate --lint --region eu-west-1
	$(BIN)/cfn-lint template.yaml
security: setup
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml --severity-level medium layers/hub/python functions cli local stand_in_gitlab
secrets: setup
	# The template is read by tests/unit/template for secrets; tests, events and the stand-in GitLab hold made-up ones.
	$(FILES) | xargs -0 $(BIN)/detect-secrets-hook \
		--exclude-files '^(template.yaml|events/|tests/|requirements/|layers/dependencies/|stand_in_gitlab/|functions/console/vendored.json)'

.PHONY: bench
bench: setup  ## Measure; writes a table
	@$(BIN)/python -m benchmarks $(ARGS)

# ---- Deploying it

# What a build was for, and what a deployment was told, is remembered: .aws-sam/target and samconfig.toml.

TARGET := $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

.PHONY: build
build: setup  ## sam build (RUNTIME=python3.13 ARCHITECTURE=arm64)
	@$(BIN)/python -m local.cloud build $(TARGET)

.PHONY: deploy
deploy: setup  ## Build and sam deploy; Enter keeps what was saved (SET='Name=value …' sets any parameter)
	@$(BIN)/python -m local.cloud deploy $(TARGET) $(if $(SET),--set $(SET))

.PHONY: clean
clean:  ## Remove what was built; .venv and the local stack's state stay
	rm -rf .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
