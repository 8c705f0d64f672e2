# Train a detector on the pseudo-labels, and let it predict the held-out images
rule train:
    input:
        image_folder=ancient(PLAN.train.images),
        labels=lambda w: PLAN.labels_of(w),
        weights=PLAN.backbone,
        val_image_folder=ancient([split.images for split in PLAN.val]),
        val_annotations=[split.annotations for split in PLAN.val],
    output:
        model="results/{run}/{variant}/train/{engine}/model.pt",
        log="results/{run}/{variant}/train/{engine}/log.jsonl",
        facts="results/{run}/{variant}/train/{engine}/training.json",
        predictions="results/{run}/{variant}/train/{engine}/predictions.json",
    log:
        "results/{run}/logs/{variant}/train/{engine}.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/train/{engine}.tsv"
    conda:
        lambda w: ENVIRONMENTS[w.engine]
    threads: config["threads"]
    resources:
        gpu=PLAN.gpu,
    params:
        code=lambda w: training_code(w.engine),
        device=config["device"],
        seed=lambda w: PLAN.variants.seed_of(w.run, w.variant),
        settings=lambda w: PLAN.variants.train_settings(w.variant, w.engine),
        val_image_folder=lambda w, input: flag("--val-image-folder", input.val_image_folder),
        val_annotations=lambda w, input: flag("--val-annotations", input.val_annotations),
    message:
        "Training the detector of variant {wildcards.variant} with {wildcards.engine}."
    shell:
        "python -m stages.train"
        " --image-folder {input.image_folder:q}"
        " --labels {input.labels:q}"
        " {params.val_image_folder}"
        " {params.val_annotations}"
        " --out-model {output.model:q}"
        " --out-log {output.log:q}"
        " --out-facts {output.facts:q}"
        " --out-predictions {output.predictions:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
