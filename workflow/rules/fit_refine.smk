# Train the refiner, such as PRM on bags enlarged by PNPG
rule fit_refine:
    input:
        image_folder=ancient(PLAN.fit_refine.image_folder),
        images=PLAN.fit_refine.images,
        weak_labels=PLAN.fit_refine.weak_labels,
        categories=PLAN.fit_refine.categories,
        proposals=PLAN.fit_refine.proposals,
        selections=PLAN.fit_refine.selections,
        select_model=PLAN.fit_refine.select_model,
        propose_model=PLAN.fit_refine.teacher_model,
        weights=ancient(PLAN.fit_refine.weights),
    output:
        model="results/{home}/fit_refine/model.pt",
        log="results/{home}/fit_refine/log.jsonl",
    log:
        "results/{home}/logs/fit_refine.log",
    benchmark:
        "results/{home}/benchmarks/fit_refine.tsv"
    wildcard_constraints:
        home=PLAN.fit_refine.homes,
    conda:
        "../../envs/stages.yaml"
    threads: PLAN.fit_refine.threads
    resources:
        gpu=PLAN.fit_refine.gpus,
        mem_mb=PLAN.fit_refine.memory,
        runtime=PLAN.fit_refine.minutes,
    params:
        setup=SETUP,
        code=PLAN.fit_refine.code,
        digests=PLAN.fit_refine.digests,
        models=lambda w, input: flags(input, "select_model", "propose_model"),
        embeddings=PLAN.embeddings,
        device=config["device"],
        each=EACH,
        seed=PLAN.fit_refine.seed,
        settings=PLAN.fit_refine.settings,
        select_settings=PLAN.fit_refine.select_settings,
        propose_settings=PLAN.fit_refine.propose_settings,
        launcher=PLAN.fit_refine.launcher,
        tensorboard="results/{home}/logs/tensorboard/fit_refine",
    message:
        "Training the refiner of {wildcards.home}."
    shell:
        "{params.setup} {params.launcher} -m stages.fit_refine"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " {params.models}"
        " --out {output.model:q}"
        " --out-log {output.log:q}"
        " --embeddings {params.embeddings:q}"
        " --tensorboard {params.tensorboard:q}"
        " --device {params.device}"
        " --threads {params.each}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --select-settings {params.select_settings:q}"
        " --propose-settings {params.propose_settings:q}"
        " 2> {log:q}"
