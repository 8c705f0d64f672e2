# What the detector of a round says of the training images, where the next round reads it
rule predict:
    input:
        image_folder=ancient(PLAN.predict.image_folder),
        images=PLAN.predict.images,
        pseudo_labels=PLAN.predict.pseudo_labels,
        model=PLAN.predict.detector_model,
        weights=ancient(PLAN.predict.weights),
    output:
        predictions="results/{home}/predict/{engine}/shard-{shard}.parquet",
        scores="results/{home}/predict/{engine}/labels-{shard}.parquet",
    log:
        "results/{home}/logs/predict/{engine}/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/predict/{engine}/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.predict.homes,
    conda:
        lambda w: ENVIRONMENTS[w.engine]
    threads: config["threads"]
    resources:
        gpu=PLAN.predict.gpus,
        mem_mb=PLAN.predict.memory,
        runtime=PLAN.predict.minutes,
    params:
        setup=SETUP,
        code=PLAN.predict.code,
        digests=PLAN.predict.digests,
        shard="{shard}",
        device=config["device"],
        settings=PLAN.predict.settings,
        train_settings=PLAN.predict.train_settings,
    message:
        "Asking the detector of {wildcards.home} about its images, shard {wildcards.shard}."
    shell:
        "{params.setup} python -m stages.predict"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --pseudo-labels {input.pseudo_labels:q}"
        " --model {input.model:q}"
        " --shard {params.shard}"
        " --out {output.predictions:q}"
        " --out-scores {output.scores:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --settings {params.settings:q}"
        " --train-settings {params.train_settings:q}"
        " 2> {log:q}"
