# Remove answers that nobody uses, and results of other shard counts; on `snakemake tidy` alone
rule tidy:
    log:
        f"{PLAN.folder}/logs/tidy.log",
    localrule: True
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        setup=SETUP,
        run=str(PLAN.folder),
        shards=config["shards"],
    message:
        "Tidying {params.run}."
    shell:
        "{params.setup} python -m stages.tidy"
        " --run {params.run:q}"
        " --shards {params.shards}"
        " 2>&1 | tee {log:q}"
