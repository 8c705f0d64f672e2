# What a trained detector says of the held-out images, for evaluate and compare
rule predict_held_out:
    input:
        model="results/{home}/train/{engine}/model.pt",
        weights=ancient(PLAN.predict_held_out.weights),
        val_image_folder=ancient(PLAN.predict_held_out.val_image_folder),
        val_annotations=own("val")(PLAN.predict_held_out.val_annotations),
    output:
        predictions="results/{home}/predict/{engine}/predictions.json",
    log:
        "results/{home}/logs/predict/{engine}/held_out.log",
    benchmark:
        "results/{home}/benchmarks/predict/{engine}/held_out.tsv"
    wildcard_constraints:
        home=PLAN.predict_held_out.homes,
    conda:
        lambda w: ENVIRONMENTS[w.engine]
    threads: config["threads"]
    resources:
        gpu=PLAN.predict_held_out.gpus,
        mem_mb=PLAN.predict_held_out.memory,
        runtime=PLAN.predict_held_out.minutes,
    params:
        setup=SETUP,
        code=PLAN.predict_held_out.code,
        digests=PLAN.predict_held_out.digests,
        links=PLAN.predict_held_out.links_flag,
        reading=PLAN.predict_held_out.reading,
        device=config["device"],
        settings=PLAN.predict_held_out.settings,
        train_settings=PLAN.predict_held_out.train_settings,
        val_image_folder=lambda w, input: flag("--val-image-folder", input.val_image_folder),
        val_annotations=lambda w, input: flag("--val-annotations", input.val_annotations),
    message:
        "Asking the detector of {wildcards.home} about the held-out images."
    shell:
        "{params.setup} python -m stages.predict_held_out"
        " --model {input.model:q}"
        " {params.val_image_folder}"
        " {params.val_annotations}"
        " {params.links}"
        " --reading {params.reading:q}"
        " --out {output.predictions:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --settings {params.settings:q}"
        " --train-settings {params.train_settings:q}"
        " 2> {log:q}"
