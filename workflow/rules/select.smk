# Score the proposals of each bag, and choose among them
rule select:
    input:
        image_folder=ancient(PLAN.select.image_folder),
        images=PLAN.select.images,
        weak_labels=PLAN.select.weak_labels,
        categories=PLAN.select.categories,
        proposals=PLAN.select.proposals,
        model=PLAN.select.select_model,
        weights=ancient(PLAN.select.weights),
    output:
        selections="results/{home}/select/shard-{shard}.parquet",
    log:
        "results/{home}/logs/select/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/select/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.select.homes,
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.select.gpus,
        mem_mb=PLAN.select.memory,
        runtime=PLAN.select.minutes,
    params:
        setup=SETUP,
        code=PLAN.select.code,
        digests=PLAN.select.digests,
        shard="{shard}",
        model=lambda w, input: flag("--model", input.model),
        embeddings=PLAN.embeddings,
        device=config["device"],
        seed=PLAN.select.seed,
        settings=PLAN.select.settings,
        propose_settings=PLAN.select.propose_settings,
    message:
        "Selecting proposals, shard {wildcards.shard} of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.select"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " {params.model}"
        " --shard {params.shard}"
        " --out {output.selections:q}"
        " --embeddings {params.embeddings:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --propose-settings {params.propose_settings:q}"
        " 2> {log:q}"
