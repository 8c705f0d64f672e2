# Measure labels and detector against the truth; the only rule after prepare that reads it
rule evaluate:
    input:
        images=PLAN.evaluate.images,
        weak_labels=PLAN.evaluate.weak_labels,
        categories=PLAN.evaluate.categories,
        proposals=PLAN.evaluate.proposals,
        selections=PLAN.evaluate.selections,
        pseudo_labels=PLAN.evaluate.pseudo_labels,
        trails=PLAN.evaluate.trails,
        grades=PLAN.evaluate.grades,
        exported=PLAN.evaluate.exported,
        ground_truth=own("train")(PLAN.evaluate.truth),
        val_ground_truth=own("val")(PLAN.evaluate.val_annotations),
        predictions=PLAN.evaluate.predictions,
        training=PLAN.evaluate.training,
    output:
        metrics="results/{home}/evaluate/metrics.json",
        table=report(
            "results/{home}/evaluate/table.txt",
            caption="../captions/table.rst",
            category="Numbers",
        ),
        figure=report(
            "results/{home}/evaluate/figure.png",
            caption="../captions/figure.rst",
            category="Numbers",
        ),
        objects="results/{home}/evaluate/objects.parquet",
    log:
        "results/{home}/logs/evaluate.log",
    benchmark:
        "results/{home}/benchmarks/evaluate.tsv"
    wildcard_constraints:
        home=PLAN.evaluate.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.evaluate.memory,
        runtime=PLAN.evaluate.minutes,
    params:
        setup=SETUP,
        code=PLAN.evaluate.code,
        digests=PLAN.evaluate.digests,
        seed=PLAN.evaluate.seed,
        settings=PLAN.evaluate.settings,
        tables=lambda w, input: flags(input, "proposals", "selections", "pseudo_labels", "trails"),
        grades=lambda w, input: flags(input, "grades"),
        labels=lambda w, input: flags(input, "exported", "ground_truth"),
        detector=lambda w, input: flags(input, "val_ground_truth", "predictions", "training"),
    message:
        "Evaluating {wildcards.home}."
    shell:
        "{params.setup} python -m stages.evaluate"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " {params.tables}"
        " {params.grades}"
        " {params.labels}"
        " {params.detector}"
        " --out {output.metrics:q}"
        " --out-table {output.table:q}"
        " --out-figure {output.figure:q}"
        " --out-objects {output.objects:q}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
