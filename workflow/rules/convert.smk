# Write the pseudo-labels down in another format; neither export nor training reruns for it
rule convert:
    input:
        labels="results/{home}/export/pseudo_labels.json",
    output:
        folder=directory("results/{home}/export/{format}"),
    log:
        "results/{home}/logs/convert/{format}.log",
    benchmark:
        "results/{home}/benchmarks/convert/{format}.tsv"
    wildcard_constraints:
        home=PLAN.convert.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.convert.memory,
        runtime=PLAN.convert.minutes,
    params:
        setup=SETUP,
        code=PLAN.convert.code,
        category_ids=PLAN.convert.category_ids,
    message:
        "Writing the pseudo-labels of {wildcards.home} as {wildcards.format}."
    shell:
        "{params.setup} python -m stages.convert"
        " --labels {input.labels:q}"
        " --format {wildcards.format}"
        " --category-ids {params.category_ids}"
        " --out {output.folder:q}"
        " 2> {log:q}"
