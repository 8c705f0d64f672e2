# Two commands on a fresh machine with Python >= 3.11 and make:  make demo  and  make test

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
RUN := results/demo/sapnet
export PATH := $(BIN):$(PATH)

.PHONY: demo test bench lint clean

demo: $(VENV)/run.done ## Points to masks to a detector, on the drawn world (about ten minutes)
	snakemake --cores all
	@echo
	@echo "Done. What to look at:"
	@echo "  $(RUN)/evaluate/table.txt          the table above"
	@echo "  $(RUN)/evaluate/metrics.json       every number, with the counts it rests on"
	@echo "  $(RUN)/export/pseudo_labels.json   the masks, as COCO JSON"
	@echo "  $(RUN)/train/torchvision           the detector"
	@echo "  results/demo/logs                  what each stage said"

test: $(VENV)/dev.done ## All tests
	python -m pytest

bench: $(VENV)/run.done ## The ablation on PartWorld: every component, three worlds (within an hour)
	snakemake --cores all --configfile workflow/recipes/benchmark.yaml -- ablation
	@cat results/benchmark/report/ablation.md

lint: $(VENV)/dev.done ## Formatters, linters and types; silent where all is well
	ruff check
	ruff format --check
	mypy
	snakefmt --check Snakefile workflow/rules
	snakemake --lint

clean: ## The environment and what was generated
	rm -rf $(VENV) results .snakemake

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
