# Hold the engines side by side: detectors that learnt from the same labels
rule compare:
    input:
        facts=expand(rules.train.output.facts, engine=HERE, allow_missing=True),
        logs=expand(rules.train.output.log, engine=HERE, allow_missing=True),
        predictions=expand(rules.train.output.predictions, engine=HERE, allow_missing=True),
        val_truth=[split.annotations for split in PLAN.val],
    output:
        table="results/{run}/{variant}/compare/engines.md",
        numbers="results/{run}/{variant}/compare/engines.json",
    log:
        "results/{run}/logs/{variant}/compare.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/compare.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.compare"),
        settings=PLAN.settings["evaluate"],
        val_truth=lambda w, input: flag("--val-ground-truth", input.val_truth),
        absent=flag("--absent", [name for name in ENGINES if name not in HERE]),
    message:
        "Comparing the engines on the labels of variant {wildcards.variant}."
    shell:
        "python -m stages.compare"
        " --facts {input.facts:q}"
        " --logs {input.logs:q}"
        " --predictions {input.predictions:q}"
        " {params.val_truth}"
        " {params.absent}"
        " --out {output.numbers:q}"
        " --out-table {output.table:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
