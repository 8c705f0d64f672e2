# Choose one proposal of each bag with PSM and PDG
rule select:
    input:
        image_folder=ancient(PLAN.train.images),
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        proposals=rules.propose.output.proposals,
        model=lambda w: PLAN.model_of(w, "select"),
        weights=PLAN.features,
    output:
        selections="results/{run}/{variant}/select/shard-{shard}.parquet",
    log:
        "results/{run}/logs/{variant}/select/shard-{shard}.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/select/shard-{shard}.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.gpu,
    params:
        code=code_of("stages.select"),
        shard="{shard}",
        device=config["device"],
        seed=lambda w: PLAN.variants.seed_of(w.run, w.variant),
        settings=lambda w: PLAN.variants.settings(w.variant, "select"),
        sam=PLAN.settings["propose"],
        model=lambda w, input: flag("--model", input.model),
    message:
        "Selecting proposals, shard {wildcards.shard} of variant {wildcards.variant}."
    shell:
        "python -m stages.select"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " {params.model}"
        " --shard {params.shard}"
        " --out {output.selections:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --sam {params.sam:q}"
        " 2> {log:q}"
