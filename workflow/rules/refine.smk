# Refine the chosen boxes with PRM, mine them with BMS, map them back to masks of SAM
rule refine:
    input:
        image_folder=ancient(PLAN.train.images),
        images=rules.prepare.output.images,
        weak_labels=rules.prepare.output.weak_labels,
        categories=rules.prepare.output.categories,
        proposals=rules.propose.output.proposals,
        selections=rules.select.output.selections,
        model=lambda w: PLAN.model_of(w, "refine"),
        weights=PLAN.features,
    output:
        refinements="results/{run}/{variant}/refine/shard-{shard}.parquet",
    log:
        "results/{run}/logs/{variant}/refine/shard-{shard}.log",
    benchmark:
        "results/{run}/benchmarks/{variant}/refine/shard-{shard}.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: config["threads"]
    resources:
        gpu=PLAN.gpu,
    params:
        code=code_of("stages.refine"),
        shard="{shard}",
        device=config["device"],
        seed=lambda w: PLAN.variants.seed_of(w.run, w.variant),
        settings=lambda w: PLAN.variants.settings(w.variant, "refine"),
        select_settings=lambda w: PLAN.variants.settings(w.variant, "select"),
        sam=PLAN.settings["propose"],
        model=lambda w, input: flag("--model", input.model),
    message:
        "Refining choices, shard {wildcards.shard} of variant {wildcards.variant}."
    shell:
        "python -m stages.refine"
        " --image-folder {input.image_folder:q}"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " {params.model}"
        " --shard {params.shard}"
        " --out {output.refinements:q}"
        " --device {params.device}"
        " --threads {threads}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " --select-settings {params.select_settings:q}"
        " --sam {params.sam:q}"
        " 2> {log:q}"
