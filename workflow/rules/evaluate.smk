# Measure labels and detector against the truth; the only rule after prepare that reads it
rule evaluate:
    input:
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        proposals=lambda w: PLAN.judged(w, "propose"),
        selections=lambda w: PLAN.judged(w, "select"),
        refinements=lambda w: PLAN.judged(w, "refine"),
        labels=lambda w: PLAN.exported(w),
        truth=PLAN.truth,
        val_truth=[split.annotations for split in PLAN.val],
        predictions=lambda w: PLAN.trained(w, "predictions.json"),
        training=lambda w: PLAN.trained(w, "training.json"),
    output:
        metrics="results/{run}/{variant}/evaluate/metrics.json",
        table="results/{run}/{variant}/evaluate/table.txt",
        figure="results/{run}/{variant}/evaluate/figure.png",
    log:
        "results/{run}/logs/{variant}/evaluate.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/evaluate.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.evaluate"),
        seed=lambda w: PLAN.variants.seed_of(w.run, w.variant),
        settings=PLAN.settings["evaluate"],
        truth=lambda w, input: flag("--ground-truth", input.truth),
        val_truth=lambda w, input: flag("--val-ground-truth", input.val_truth),
        tables=lambda w, input: flags(input, "proposals", "selections", "refinements"),
        labels=lambda w, input: flag("--pseudo-labels", input.labels),
        predictions=lambda w, input: flag("--predictions", input.predictions),
        training=lambda w, input: flag("--training", input.training),
    message:
        "Evaluating variant {wildcards.variant}."
    shell:
        "python -m stages.evaluate"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " {params.tables}"
        " {params.labels}"
        " {params.truth}"
        " {params.val_truth}"
        " {params.predictions}"
        " {params.training}"
        " --out {output.metrics:q}"
        " --out-table {output.table:q}"
        " --out-figure {output.figure:q}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
