# Train a detector on the pseudo-labels of half of the images, to judge the other half
rule train_half:
    input:
        image_folder=ancient(PLAN.train_half.image_folder),
        labels=PLAN.train_half.labels,
        weights=ancient(PLAN.train_half.weights),
        val_image_folder=ancient(PLAN.train_half.val_image_folder),
        val_annotations=own("val")(PLAN.train_half.val_annotations),
    output:
        model="results/{home}/train_half/{engine}/{half}/model.pt",
        log="results/{home}/train_half/{engine}/{half}/log.jsonl",
        facts="results/{home}/train_half/{engine}/{half}/training.json",
        stock_weights="results/{home}/train_half/{engine}/{half}/stock/model_final.pth",
        stock_config="results/{home}/train_half/{engine}/{half}/stock/config.yaml",
        stock_metrics="results/{home}/train_half/{engine}/{half}/stock/metrics.json",
    log:
        "results/{home}/logs/train_half/{engine}/{half}.log",
    benchmark:
        "results/{home}/benchmarks/train_half/{engine}/{half}.tsv"
    wildcard_constraints:
        home=PLAN.train_half.homes,
    conda:
        lambda w: ENVIRONMENTS[w.engine]
    threads: PLAN.train_half.threads
    resources:
        gpu=PLAN.train_half.gpus,
        mem_mb=PLAN.train_half.memory,
        runtime=PLAN.train_half.minutes,
    params:
        setup=SETUP,
        code=PLAN.train_half.code,
        digests=PLAN.train_half.digests,
        links=PLAN.train_half.links_flag,
        reading=PLAN.train_half.reading,
        device=config["device"],
        each=EACH,
        seed=PLAN.train_half.seed,
        settings=PLAN.train_half.settings,
        launcher=PLAN.train_half.launcher,
        tensorboard="results/{home}/logs/tensorboard/train_half/{engine}/{half}",
        val_image_folder=lambda w, input: flag("--val-image-folder", input.val_image_folder),
        val_annotations=lambda w, input: flag("--val-annotations", input.val_annotations),
    message:
        "Training a detector of {wildcards.home} on half {wildcards.half} with {wildcards.engine}."
    shell:
        "{params.setup} {params.launcher} -m stages.train"
        " --image-folder {input.image_folder:q}"
        " --labels {input.labels:q}"
        " --half {wildcards.half}"
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
