# Train the selector, such as PSM; and with it the refiner, where they are trained together
rule fit_select:
    input:
        image_folder=ancient(PLAN.fit_select.image_folder),
        images=PLAN.fit_select.images,
        weak_labels=PLAN.fit_select.weak_labels,
        categories=PLAN.fit_select.categories,
        proposals=PLAN.fit_select.proposals,
        weights=ancient(PLAN.fit_select.weights),
    output:
        model="results/{home}/fit_select/model.pt",
        log="results/{home}/fit_select/log.jsonl",
    log:
        "results/{home}/logs/fit_select.log",
    benchmark:
        "results/{home}/benchmarks/fit_select.tsv"
    wildcard_constraints:
        home=PLAN.fit_select.homes,
    conda:
        "../../envs/stages.yaml"
    threads: PLAN.fit_select.threads
    resources:
        gpu=PLAN.fit_select.gpus,
        mem_mb=PLAN.fit_select.memory,
        runtime=PLAN.fit_select.minutes,
    params:
        setup=SETUP,
        code=PLAN.fit_select.code,
        digests=PLAN.fit_select.digests,
        embeddings=PLAN.embeddings,
        device=config["device"],
        each=EACH,
        seed=PLAN.fit_select.seed,
        settings=PLAN.fit_select.settings,
        joint=lambda w: flag("--refine-settings", PLAN.fit_select.joint_settings(w)),
        propose_settings=PLAN.fit_select.propose_settings,
        launcher=PLAN.fit_select.launcher,
        tensorboard="results/{home}/logs/tensorboard/fit_select",
    message:
        "Training the selector of {wildcards.home}."
    shell:
        "{params.setup} {params.launcher} -m stages.fit_select"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --out {output.model:q}"
        " --out-log {output.log:q}"
        " --embeddings {params.embeddings:q}"
        " --tensorboard {params.tensorboard:q}"
        " --device {params.device}"
        " --threads {params.each}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " {params.joint}"
        " --propose-settings {params.propose_settings:q}"
        " 2> {log:q}"
