# Fetch a published weight file, where the config names one that is missing.
# A file that is there is the user's own: PLAN.fetched then matches nothing.
rule fetch:
    output:
        weights="{weights}",
    log:
        "results/logs/fetch/{weights}.log",
    benchmark:
        "results/benchmarks/fetch/{weights}.tsv"
    localrule: True
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        setup=SETUP,
        code=code_of("stages.fetch"),
    message:
        "Fetching {wildcards.weights}."
    shell:
        "{params.setup} python -m stages.fetch" " --out {output.weights:q}" " 2> {log:q}"
