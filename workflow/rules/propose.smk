# Ask SAM for the masks of every weak label
rule propose:
    input:
        image_folder=ancient(PLAN.train.images),
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        checkpoint=PLAN.checkpoint,
    output:
        proposals="results/{run}/propose/shard-{shard}.parquet",
    log:
        "results/{run}/logs/propose/shard-{shard}.log",
    benchmark:
        "results/{run}/benchmarks/propose/shard-{shard}.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.gpu,
    params:
        code=code_of("stages.propose"),
        shard="{shard}",
        device=config["device"],
        seed=lambda w: PLAN.variants.seed_of(w.run),
        settings=PLAN.settings["propose"],
    message:
        "Asking SAM for proposals, shard {wildcards.shard}."
    shell:
        "python -m stages.propose"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --shard {params.shard}"
        " --out {output.proposals:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
