# The same of two detectors: each is asked about the images that it has not learned from
rule predict_crossed:
    input:
        image_folder=ancient(PLAN.predict_crossed.image_folder),
        images=PLAN.predict_crossed.images,
        pseudo_labels=PLAN.predict_crossed.pseudo_labels,
        models=PLAN.predict_crossed.half_models,
        weights=ancient(PLAN.predict_crossed.weights),
    output:
        predictions="results/{home}/predict_crossed/{engine}/shard-{shard}.parquet",
        scores="results/{home}/predict_crossed/{engine}/labels-{shard}.parquet",
    log:
        "results/{home}/logs/predict_crossed/{engine}/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/predict_crossed/{engine}/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.predict_crossed.homes,
    conda:
        lambda w: ENVIRONMENTS[w.engine]
    threads: config["threads"]
    resources:
        gpu=PLAN.predict_crossed.gpus,
        mem_mb=PLAN.predict_crossed.memory,
        runtime=PLAN.predict_crossed.minutes,
    params:
        setup=SETUP,
        code=PLAN.predict_crossed.code,
        digests=PLAN.predict_crossed.digests,
        shard="{shard}",
        device=config["device"],
        settings=PLAN.predict_crossed.settings,
        train_settings=PLAN.predict_crossed.train_settings,
    message:
        "Asking the halves' detectors of {wildcards.home} about images, shard {wildcards.shard}."
    shell:
        "{params.setup} python -m stages.predict"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --pseudo-labels {input.pseudo_labels:q}"
        " --model {input.models:q}"
        " --shard {params.shard}"
        " --out {output.predictions:q}"
        " --out-scores {output.scores:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --settings {params.settings:q}"
        " --train-settings {params.train_settings:q}"
        " 2> {log:q}"
