# Train PRM, the proposal refinement module, on bags enlarged by PNPG
rule fit_refine:
    input:
        image_folder=ancient(PLAN.train.images),
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        proposals=expand(rules.propose.output.proposals, shard=PLAN.shards, allow_missing=True),
        selections=expand(rules.select.output.selections, shard=PLAN.shards, allow_missing=True),
        select_model=lambda w: PLAN.model_of(w, "select"),
        weights=PLAN.features,
    output:
        model="results/{run}/{variant}/fit_refine/model.pt",
        log="results/{run}/{variant}/fit_refine/log.jsonl",
    log:
        "results/{run}/logs/{variant}/fit_refine.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/fit_refine.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.gpu * PLAN.processes["refine"],
    params:
        code=code_of("stages.fit_refine"),
        device=config["device"],
        seed=lambda w: PLAN.variants.seed_of(w.run, w.variant),
        settings=lambda w: PLAN.variants.fit_settings(w.variant, "refine"),
        select_settings=lambda w: PLAN.variants.settings(w.variant, "select"),
        launcher=PLAN.launcher("refine"),
        sam=PLAN.settings["propose"],
    message:
        "Training PRM of variant {wildcards.variant}."
    shell:
        "{params.launcher} -m stages.fit_refine"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " --select-model {input.select_model:q}"
        " --out {output.model:q}"
        " --out-log {output.log:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --select-settings {params.select_settings:q}"
        " --sam {params.sam:q}"
        " 2> {log:q}"
