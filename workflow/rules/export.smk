# Write the pseudo-labels as COCO JSON; here the shards meet
rule export:
    input:
        images=PLAN.export.images,
        weak_labels=PLAN.export.weak_labels,
        categories=PLAN.export.categories,
        pseudo_labels=PLAN.export.pseudo_labels,
        grades=PLAN.export.grades,
    output:
        labels="results/{home}/export/pseudo_labels.json",
    log:
        "results/{home}/logs/export.log",
    benchmark:
        "results/{home}/benchmarks/export.tsv"
    wildcard_constraints:
        home=PLAN.export.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.export.memory,
        runtime=PLAN.export.minutes,
    params:
        setup=SETUP,
        code=PLAN.export.code,
        settings=PLAN.export.settings,
    message:
        "Exporting the pseudo-labels of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.export"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --pseudo-labels {input.pseudo_labels:q}"
        " --grades {input.grades:q}"
        " --out {output.labels:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
