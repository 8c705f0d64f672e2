# Train the segmenter, where it learns from the weak labels
rule fit_propose:
    input:
        image_folder=ancient(PLAN.fit_propose.image_folder),
        images=PLAN.fit_propose.images,
        weak_labels=PLAN.fit_propose.weak_labels,
        salient_images=watched(PLAN.fit_propose.salient_images),
        salient_masks=watched(PLAN.fit_propose.salient_masks),
        salient_listed=watched(PLAN.fit_propose.salient_listed),
        former=PLAN.fit_propose.former_labels,
        former_model=PLAN.fit_propose.former_model,
        weights=ancient(PLAN.fit_propose.weights),
    output:
        model="results/{home}/fit_propose/model.pt",
        log="results/{home}/fit_propose/log.jsonl",
    log:
        "results/{home}/logs/fit_propose.log",
    benchmark:
        "results/{home}/benchmarks/fit_propose.tsv"
    wildcard_constraints:
        home=PLAN.fit_propose.homes,
    conda:
        "../../envs/stages.yaml"
    threads: PLAN.fit_propose.threads
    resources:
        gpu=PLAN.fit_propose.gpus,
        mem_mb=PLAN.fit_propose.memory,
        runtime=PLAN.fit_propose.minutes,
    params:
        setup=SETUP,
        code=PLAN.fit_propose.code,
        digests=PLAN.fit_propose.digests,
        salient=lambda w, input: flag("--salient-images", input.salient_images)
        + flag(" --salient-masks", input.salient_masks)
        + flag(" --salient-listed", input.salient_listed),
        former=lambda w, input: flag("--former", input.former)
        + flag(" --former-model", input.former_model),
        single=PLAN.fit_propose.salient_single,
        device=config["device"],
        each=EACH,
        seed=PLAN.fit_propose.seed,
        settings=PLAN.fit_propose.settings,
        launcher=PLAN.fit_propose.launcher,
        tensorboard="results/{home}/logs/tensorboard/fit_propose",
    message:
        "Training the segmenter of {wildcards.home}."
    shell:
        "{params.setup} {params.launcher} -m stages.fit_propose"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " {params.salient}"
        " {params.former}"
        " --salient-single {params.single}"
        " --out {output.model:q}"
        " --out-log {output.log:q}"
        " --tensorboard {params.tensorboard:q}"
        " --device {params.device}"
        " --threads {params.each}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
