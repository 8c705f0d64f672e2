# Train what learns where to ask: clues from tags alone, boxes from points alone
rule fit_prompt:
    input:
        image_folder=ancient(PLAN.fit_prompt.image_folder),
        images=PLAN.fit_prompt.images,
        weak_labels=PLAN.fit_prompt.weak_labels,
        categories=PLAN.fit_prompt.categories,
        weights=ancient(PLAN.fit_prompt.weights),
    output:
        model="results/{home}/fit_prompt/model.pt",
        log="results/{home}/fit_prompt/log.jsonl",
    log:
        "results/{home}/logs/fit_prompt.log",
    benchmark:
        "results/{home}/benchmarks/fit_prompt.tsv"
    wildcard_constraints:
        home=PLAN.fit_prompt.homes,
    conda:
        "../../envs/stages.yaml"
    threads: PLAN.fit_prompt.threads
    resources:
        gpu=PLAN.fit_prompt.gpus,
        mem_mb=PLAN.fit_prompt.memory,
        runtime=PLAN.fit_prompt.minutes,
    params:
        setup=SETUP,
        code=PLAN.fit_prompt.code,
        digests=PLAN.fit_prompt.digests,
        embeddings=PLAN.embeddings,
        device=config["device"],
        each=EACH,
        seed=PLAN.fit_prompt.seed,
        settings=PLAN.fit_prompt.settings,
        seen_through=PLAN.fit_prompt.seen_through,
        launcher=PLAN.fit_prompt.launcher,
        tensorboard="results/{home}/logs/tensorboard/fit_prompt",
    message:
        "Training what learns where to ask, {wildcards.home}."
    shell:
        "{params.setup} {params.launcher} -m stages.fit_prompt"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --out {output.model:q}"
        " --out-log {output.log:q}"
        " --embeddings {params.embeddings:q}"
        " --tensorboard {params.tensorboard:q}"
        " --device {params.device}"
        " --threads {params.each}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --propose-settings {params.seen_through:q}"
        " 2> {log:q}"
