# Measure labels and detector against the truth; the only rule after prepare that reads it
rule evaluate:
    input:
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        proposals=expand(rules.propose.output.proposals, shard=PLAN.shards, allow_missing=True),
        selections=expand(rules.select.output.selections, shard=PLAN.shards, allow_missing=True),
        refinements=expand(rules.refine.output.refinements, shard=PLAN.shards, allow_missing=True),
        labels=rules.export.output.labels,
        truth=PLAN.truth,
        val_truth=[split.annotations for split in PLAN.val],
        predictions=expand(rules.train.output.predictions, engine=PLAN.engines, allow_missing=True),
    output:
        metrics="results/{run}/{variant}/evaluate/metrics.json",
        table="results/{run}/{variant}/evaluate/table.txt",
    log:
        "results/{run}/logs/{variant}/evaluate.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/evaluate.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.evaluate"),
        seed=config["seed"],
        settings=PLAN.settings["evaluate"],
        truth=lambda w, input: flag("--ground-truth", input.truth),
        val_truth=lambda w, input: flag("--val-ground-truth", input.val_truth),
        predictions=lambda w, input: flag("--predictions", input.predictions),
    message:
        "Evaluating variant {wildcards.variant}."
    shell:
        "python -m stages.evaluate"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " --refinements {input.refinements:q}"
        " --pseudo-labels {input.labels:q}"
        " {params.truth}"
        " {params.val_truth}"
        " {params.predictions}"
        " --out {output.metrics:q}"
        " --out-table {output.table:q}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
