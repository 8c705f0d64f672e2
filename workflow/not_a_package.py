"""The build backend of a workflow that is no package: says so, and how to deploy it instead."""

raise SystemExit(
    "Maskmill is a Snakemake workflow and not a package: a wheel would have neither the workflow "
    "nor its config and weights. Install what it runs on, pip install -r requirements.txt, and "
    "name the clone: snakemake -s PATH/Snakefile --directory DIR --configfile mine.yaml"
)
