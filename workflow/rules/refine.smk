# Turn the scores of the bags into pseudo-labels, and leave the trail of how
rule refine:
    input:
        image_folder=ancient(PLAN.refine.image_folder),
        images=PLAN.refine.images,
        weak_labels=PLAN.refine.weak_labels,
        categories=PLAN.refine.categories,
        proposals=PLAN.refine.proposals,
        selections=PLAN.refine.selections,
        model=PLAN.refine.refine_model,
        propose_model=PLAN.refine.teacher_model,
        former_labels=PLAN.refine.former_labels,
        former_predictions=PLAN.refine.former_predictions,
        former_scores=PLAN.refine.former_scores,
        weights=ancient(PLAN.refine.weights),
    output:
        pseudo_labels="results/{home}/refine/shard-{shard}.parquet",
        trail="results/{home}/refine/trail-{shard}.parquet",
    log:
        "results/{home}/logs/refine/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/refine/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.refine.homes,
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.refine.gpus,
        mem_mb=PLAN.refine.memory,
        runtime=PLAN.refine.minutes,
    params:
        setup=SETUP,
        code=PLAN.refine.code,
        digests=PLAN.refine.digests,
        shard="{shard}",
        model=lambda w, input: flags(input, "model", "propose_model"),
        former=lambda w, input: flags(input, "former_labels", "former_predictions", "former_scores"),
        answers=PLAN.answers,
        embeddings=PLAN.embeddings,
        device=config["device"],
        seed=PLAN.refine.seed,
        settings=PLAN.refine.settings,
        select_settings=PLAN.refine.select_settings,
        propose_settings=PLAN.refine.propose_settings,
    message:
        "Refining choices, shard {wildcards.shard} of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.refine"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " {params.model}"
        " {params.former}"
        " --shard {params.shard}"
        " --out {output.pseudo_labels:q}"
        " --out-trail {output.trail:q}"
        " --answers {params.answers:q}"
        " --embeddings {params.embeddings:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --select-settings {params.select_settings:q}"
        " --propose-settings {params.propose_settings:q}"
        " 2> {log:q}"
