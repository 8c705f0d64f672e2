# Train PSM, the proposal selection module
rule fit_select:
    input:
        image_folder=ancient(PLAN.train.images),
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        proposals=expand(rules.propose.output.proposals, shard=PLAN.shards, allow_missing=True),
        weights=PLAN.features,
    output:
        model="results/{run}/{variant}/fit_select/model.pt",
        log="results/{run}/{variant}/fit_select/log.jsonl",
    log:
        "results/{run}/logs/{variant}/fit_select.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/fit_select.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.gpu * PLAN.processes["select"],
    params:
        code=code_of("stages.fit_select"),
        device=config["device"],
        seed=lambda w: PLAN.variants.seed_of(w.run, w.variant),
        settings=lambda w: PLAN.variants.fit_settings(w.variant, "select"),
        joint=lambda w: flag("--refine-settings", PLAN.variants.joint_settings(w.variant)),
        launcher=PLAN.launcher("select"),
        sam=PLAN.settings["propose"],
    message:
        "Training PSM of variant {wildcards.variant}."
    shell:
        "{params.launcher} -m stages.fit_select"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --out {output.model:q}"
        " --out-log {output.log:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " {params.joint}"
        " --sam {params.sam:q}"
        " 2> {log:q}"
