# Ask the segmenter for the masks of every weak label
rule propose:
    input:
        image_folder=ancient(PLAN.propose.image_folder),
        images=PLAN.propose.images,
        weak_labels=PLAN.propose.weak_labels,
        prompts=PLAN.propose.prompts,
        model=PLAN.propose.propose_model,
        weights=ancient(PLAN.propose.weights),
    output:
        proposals="results/{home}/propose/shard-{shard}.parquet",
    log:
        "results/{home}/logs/propose/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/propose/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.propose.homes,
    conda:
        "../../envs/stages.yaml"
    threads: PLAN.propose.threads
    resources:
        gpu=PLAN.propose.gpus,
        mem_mb=PLAN.propose.memory,
        runtime=PLAN.propose.minutes,
    params:
        setup=SETUP,
        code=PLAN.propose.code,
        digests=PLAN.propose.digests,
        shard="{shard}",
        prompts=lambda w, input: flag("--prompts", input.prompts),
        model=lambda w, input: flag("--model", input.model),
        answers=PLAN.answers,
        device=config["device"],
        each=EACH,
        at_once=AT_ONCE,
        seed=PLAN.propose.seed,
        settings=PLAN.propose.settings,
        prompt_settings=PLAN.propose.prompt_settings,
    message:
        "Asking for proposals, shard {wildcards.shard} of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.propose"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " {params.prompts}"
        " {params.model}"
        " --shard {params.shard}"
        " --out {output.proposals:q}"
        " --answers {params.answers:q}"
        " --device {params.device}"
        " --threads {params.each}"
        " --at-once {params.at_once}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --prompt-settings {params.prompt_settings:q}"
        " 2> {log:q}"
