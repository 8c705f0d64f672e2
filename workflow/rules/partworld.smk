# Draw the demo's own world
rule partworld:
    output:
        images=directory("results/{run}/partworld/{split}/images"),
        annotations="results/{run}/partworld/{split}/annotations.json",
    log:
        "results/{run}/logs/partworld/{split}.log",
    benchmark:
        "results/{run}/benchmarks/partworld/{split}.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.partworld.dataset"),
        folder=subpath(output.annotations, parent=True),
        split="{split}",
        images=lambda wildcards: config["dataset"]["partworld"][wildcards.split],
        seed=lambda w: PLAN.variants.seed_of(w.run),
    message:
        "Drawing the {wildcards.split} scenes of PartWorld."
    shell:
        "python -m stages.partworld.dataset"
        " --out {params.folder:q}"
        " --split {params.split}"
        " --images {params.images}"
        " --seed {params.seed}"
        " 2> {log:q}"
