# Two commands on a fresh machine with Python >= 3.11 and make:  make demo  and  make test

PYTHON ?= python3
VENV := .venv
READERS := .venv-readers
LOCK := .venv-lock
BIN := $(CURDIR)/$(VENV)/bin
RUN := results/demo
SAID := $(VENV)/said.txt
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install demo test browser fuzz kills bench bench-speed lint config readers lock clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: $(VENV)/run.done ## The environment alone: . .venv/bin/activate, then snakemake

demo: $(VENV)/run.done ## Points to masks to a detector, on the drawn world (about ten minutes)
	snakemake --cores all
	@echo
	@echo "Done. What to look at:"
	@echo "  $(RUN)/sapnet/report/index.html           the page: every mask, and why it was chosen"
	@echo "  $(RUN)/sapnet/evaluate/table.txt          the table above"
	@echo "  $(RUN)/sapnet/evaluate/metrics.json       every number, with the counts it rests on"
	@echo "  $(RUN)/sapnet/export/pseudo_labels.json   the masks, as COCO JSON"
	@echo "  $(RUN)/sapnet/train/torchvision           the detector"
	@echo "  $(RUN)/logs, $(RUN)/sapnet/logs           what each stage said"

test: $(VENV)/dev.done ## Unit tests, and one tiny run of each recipe (a quarter of an hour)
	python -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder

browser: $(VENV)/dev.done ## The page of a run in a headless Chromium, which must be installed
	python -m pytest tests/browser

fuzz: $(VENV)/dev.done ## Ten minutes of odd labels, and ten of our own files spoilt, by hand
	FUZZ_SECONDS=600 FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} python -m pytest -s -m long tests/fuzz

kills: $(VENV)/dev.done ## 200 kills at random moments, in runs of every recipe, by hand (hours)
	python -u -m tests.resilience.kills --kills 200 --seed $${KILL_SEED:-0} --work "$$(mktemp -d)"

bench: $(VENV)/run.done ## PartWorld: every component, and what labels are worth to a detector (two hours)
	snakemake --cores all --configfile workflow/recipes/benchmark.yaml -- ablation
	snakemake --cores all --configfile workflow/recipes/retention.yaml -- ablation
	@cat results/benchmark/report/ablation.md results/retention/report/ablation.md

bench-speed: $(VENV)/dev.done ## What each part costs, in CPU seconds, against its rivals (half an hour); COCO_TINY set
	OMP_NUM_THREADS=1 python -m benchmarks.bench_propose
	OMP_NUM_THREADS=1 python -m benchmarks.bench_masks --images 5000
	OMP_NUM_THREADS=1 python -m benchmarks.bench_startup
	OMP_NUM_THREADS=1 python -m benchmarks.bench_scale
	OMP_NUM_THREADS=1 python -m benchmarks.bench_labels
	OMP_NUM_THREADS=1 python -m benchmarks.bench_prepare
	OMP_NUM_THREADS=1 python -m benchmarks.bench_one_image
	OMP_NUM_THREADS=1 python -m benchmarks.bench_encoder --model vit_tiny

lint: $(VENV)/dev.done ## Formatters, linters and types; silent where all is well
	ruff check --quiet
	ruff format --quiet --check
	mypy --no-error-summary
	@snakefmt --check Snakefile workflow/rules > $(SAID) 2>&1 || { cat $(SAID); exit 1; }
	@snakemake --lint > $(SAID) 2>&1 || { cat $(SAID); exit 1; }

config: $(VENV)/dev.done ## config.yaml and its schema, made anew from stages/settings
	python -m stages.settings.template

readers: $(READERS)/run.done ## Every written format, read back by other people's libraries
	YOLO_CONFIG_DIR=$(CURDIR)/$(READERS) $(READERS)/bin/python -m pytest tests/readers

lock: $(LOCK)/bin/python ## requirements.lock: versions and sha256 of all that is installed, from the index
	PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(LOCK)/bin/python -m pip install --quiet --dry-run \
	    --disable-pip-version-check --ignore-installed --report $(LOCK)/report.json -r requirements.txt
	$(LOCK)/bin/python workflow/lock.py $(LOCK)/report.json > $(LOCK)/new
	mv $(LOCK)/new requirements.lock

clean: ## The environment and what was generated
	rm -rf $(VENV) $(READERS) $(LOCK) results .snakemake

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Maskmill needs Python 3.11 or newer; try: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: requirements.txt | $(VENV)/bin/python
	python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev.done: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/run.done

$(READERS)/run.done: requirements-readers.txt
	$(PYTHON) -m venv $(READERS)
	$(READERS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-readers.txt
	touch $@

$(LOCK)/bin/python:
	$(PYTHON) -m venv $(LOCK)
