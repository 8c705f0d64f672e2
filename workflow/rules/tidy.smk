# Remove answers that nobody uses, and results of other shard counts; on `snakemake tidy` alone
rule tidy:
    log:
        f"{PLAN.folder}/logs/tidy.log",
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        run=str(PLAN.folder),
        shards=config["shards"],
    message:
        "Tidying {params.run}."
    shell:
        "python -m stages.tidy"
        " --run {params.run:q}"
        " --shards {params.shards}"
        " 2>&1 | tee {log:q}"
