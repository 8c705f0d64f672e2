# Train a detector on the pseudo-labels
rule train:
    input:
        image_folder=ancient(PLAN.train.image_folder),
        labels=PLAN.train.labels,
        truth=own("train")(PLAN.train.taught),
        weights=ancient(PLAN.train.weights),
        val_image_folder=ancient(PLAN.train.val_image_folder),
        val_annotations=own("val")(PLAN.train.val_annotations),
    output:
        model="results/{home}/train/{engine}/model.pt",
        log="results/{home}/train/{engine}/log.jsonl",
        facts="results/{home}/train/{engine}/training.json",
        stock_weights="results/{home}/train/{engine}/stock/model_final.pth",
        stock_config="results/{home}/train/{engine}/stock/config.yaml",
        stock_metrics="results/{home}/train/{engine}/stock/metrics.json",
    log:
        "results/{home}/logs/train/{engine}.log",
    benchmark:
        "results/{home}/benchmarks/train/{engine}.tsv"
    wildcard_constraints:
        home=PLAN.train.homes,
    conda:
        lambda w: ENVIRONMENTS[w.engine]
    threads: PLAN.train.threads
    resources:
        gpu=PLAN.train.gpus,
        mem_mb=PLAN.train.memory,
        runtime=PLAN.train.minutes,
    params:
        setup=SETUP,
        code=PLAN.train.code,
        digests=PLAN.train.digests,
        links=PLAN.train.links_flag,
        reading=PLAN.train.reading,
        device=config["device"],
        each=EACH,
        seed=PLAN.train.seed,
        settings=PLAN.train.settings,
        launcher=PLAN.train.launcher,
        tensorboard="results/{home}/logs/tensorboard/train/{engine}",
        labels=lambda w, input: flag("--labels", [*input.labels, *input.truth]),
        val_image_folder=lambda w, input: flag("--val-image-folder", input.val_image_folder),
        val_annotations=lambda w, input: flag("--val-annotations", input.val_annotations),
    message:
        "Training the detector of {wildcards.home} with {wildcards.engine}."
    shell:
        "{params.setup} {params.launcher} -m stages.train"
        " --image-folder {input.image_folder:q}"
        " {params.labels}"
        " {params.val_image_folder}"
        " {params.val_annotations}"
        " {params.links}"
        " --reading {params.reading:q}"
        " --out-model {output.model:q}"
        " --out-log {output.log:q}"
        " --out-facts {output.facts:q}"
        " --out-stock-weights {output.stock_weights:q}"
        " --out-stock-config {output.stock_config:q}"
        " --out-stock-metrics {output.stock_metrics:q}"
        " --tensorboard {params.tensorboard:q}"
        " --device {params.device}"
        " --threads {params.each}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
