# Draw the demo's own world
rule partworld:
    output:
        images=directory("results/{home}/partworld/{split}/images"),
        annotations="results/{home}/partworld/{split}/annotations.json",
    log:
        "results/{home}/logs/partworld/{split}.log",
    benchmark:
        "results/{home}/benchmarks/partworld/{split}.tsv"
    wildcard_constraints:
        home=PLAN.partworld.homes,
        split="train|val",
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.partworld.memory,
        runtime=PLAN.partworld.minutes,
    params:
        setup=SETUP,
        code=PLAN.partworld.code,
        folder=subpath(output.annotations, parent=True),
        split="{split}",
        images=lambda wildcards: config["dataset"]["partworld"][wildcards.split],
        look=config["dataset"]["partworld"]["look"],
        seed=PLAN.partworld.seed,
    message:
        "Drawing the {wildcards.split} scenes of PartWorld, {wildcards.home}."
    shell:
        "{params.setup} python -m stages.partworld.dataset"
        " --out {params.folder:q}"
        " --split {params.split}"
        " --images {params.images}"
        " --look {params.look}"
        " --seed {params.seed}"
        " 2> {log:q}"
