# Write the pseudo-labels as COCO JSON; here the shards meet
rule export:
    input:
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        refinements=expand(rules.refine.output.refinements, shard=PLAN.shards, allow_missing=True),
    output:
        labels="results/{run}/{variant}/export/pseudo_labels.json",
    log:
        "results/{run}/logs/{variant}/export.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/export.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.export"),
        settings=lambda w: PLAN.variants.settings(w.variant, "export"),
    message:
        "Exporting the pseudo-labels of variant {wildcards.variant}."
    shell:
        "python -m stages.export"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --refinements {input.refinements:q}"
        " --out {output.labels:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
