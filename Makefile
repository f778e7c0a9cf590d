# Slipway. `make up` runs the site; everything else is for its developers. PORT, SLIPWAY_HOME, DATABASE_URL and
# REDIS_URL change what `make up` does; `make test T=tests/accounts` runs a part of the tests.

PYTHON ?= python3
VENV   := .venv/bin
T      ?=
# A language that `make messages` adds, such as de; without one it renews those that there are.
L      ?=
# Tests wait more than they compute: so many processes at once, each with services of its own.
N      ?= 4

# Some container images set this. Without bytecode each process that starts would compile all of ours anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up serve install dev test test-slow check check-types check-rest format lock schema messages

up: install
	@exec $(VENV)/python manage.py up

serve: up

install:
	@$(PYTHON) scripts/bootstrap.py

dev:
	@$(PYTHON) scripts/bootstrap.py --dev

test: dev
	$(VENV)/python -m pytest -n $(N) --no-loadscope-reorder $(T)

test-slow: dev
	$(VENV)/python -m pytest -m slow $(T)

# Two at once: types take as long as all else. That each test can be collected is a check, and leaves them compiled.
check: dev
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	@$(MAKE) --no-print-directory -j 2 check-types check-rest

check-types:
	$(VENV)/mypy

check-rest:
	$(VENV)/lint-imports
	$(VENV)/python scripts/check_project.py
	@told=$$($(VENV)/python -m pytest --collect-only -qqq -p no:cacheprovider -p no:randomly 2>&1) || { echo "$$told"; exit 1; }

format: dev
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

lock: dev
	$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock
	$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.lock

schema: dev
	$(VENV)/python scripts/dump_schema.py

messages: dev
	@mkdir -p locale
	$(VENV)/python manage.py makemessages $(if $(L),--locale $(L),--all) $(MESSAGES) --domain django --extension html,txt,py
	$(VENV)/python manage.py makemessages $(if $(L),--locale $(L),--all) $(MESSAGES) --domain djangojs --extension js
	$(VENV)/python manage.py compilemessages --ignore '.*'
	$(VENV)/python scripts/check_messages.py

MESSAGES := --keep-pot --add-location file --ignore '.venv*' --ignore tests --ignore benchmarks --ignore 'requirements*'
