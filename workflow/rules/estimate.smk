# Tell what the run will cost before it starts; on `snakemake estimate` alone, and nothing is made
rule estimate:
    log:
        f"{PLAN.folder}/logs/estimate.log",
    localrule: True
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    params:
        setup=SETUP,
        facts=PLAN.estimated,
        settings=as_json(config["estimate"]),
        out=str(PLAN.folder / "estimate.json"),
    message:
        "Estimating what the run will cost."
    shell:
        "{params.setup} python -m stages.estimate"
        " --facts {params.facts:q}"
        " --settings {params.settings:q}"
        " --out {params.out:q}"
        " --threads {threads}"
        " 2>&1 | tee {log:q}"
