# The labels that a person had best look at, as a list and as tasks; on `snakemake tasks` alone
rule review:
    input:
        labels=PLAN.review.reviewed,
    output:
        folder=directory("results/{home}/review"),
    log:
        "results/{home}/logs/review.log",
    benchmark:
        "results/{home}/benchmarks/review.tsv"
    wildcard_constraints:
        home=PLAN.review.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.review.memory,
        runtime=PLAN.review.minutes,
    params:
        setup=SETUP,
        code=PLAN.review.code,
        settings=PLAN.review.settings,
    message:
        "Listing the most doubtful labels of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.review"
        " --labels {input.labels:q}"
        " --out {output.folder:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
