# Ask the prompters, where one of them looks at the photographs
rule prompt:
    input:
        image_folder=ancient(PLAN.prompt.image_folder),
        images=PLAN.prompt.images,
        weak_labels=PLAN.prompt.weak_labels,
        categories=PLAN.prompt.categories,
        model=PLAN.prompt.prompt_model,
        weights=ancient(PLAN.prompt.weights),
    output:
        prompts="results/{home}/prompt/shard-{shard}.parquet",
    log:
        "results/{home}/logs/prompt/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/prompt/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.prompt.homes,
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.prompt.gpus,
        mem_mb=PLAN.prompt.memory,
        runtime=PLAN.prompt.minutes,
    params:
        setup=SETUP,
        code=PLAN.prompt.code,
        digests=PLAN.prompt.digests,
        shard="{shard}",
        model=lambda w, input: flag("--model", input.model),
        embeddings=PLAN.embeddings,
        device=config["device"],
        seed=PLAN.prompt.seed,
        settings=PLAN.prompt.settings,
        clue_settings=PLAN.prompt.clue_settings,
        seen_through=PLAN.prompt.seen_through,
    message:
        "Looking for prompts, shard {wildcards.shard} of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.prompt"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " {params.model}"
        " --shard {params.shard}"
        " --out {output.prompts:q}"
        " --embeddings {params.embeddings:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --fit-settings {params.clue_settings:q}"
        " --propose-settings {params.seen_through:q}"
        " 2> {log:q}"
