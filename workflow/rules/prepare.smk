# Read the annotations; draw or read the weak labels; deal the images to shards
rule prepare:
    input:
        # ancient: a new file beside the photographs changes nothing, the annotations decide
        image_folder=ancient(PLAN.train.images),
        annotations=PLAN.train.annotations,
    output:
        images="results/{run}/prepare/images.parquet",
        weak_labels="results/{run}/prepare/weak_labels.parquet",
        categories="results/{run}/prepare/categories.parquet",
    log:
        "results/{run}/logs/prepare.log",
    benchmark:
        "results/{run}/benchmarks/prepare.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.prepare"),
        shards=config["shards"],
        seed=lambda w: PLAN.variants.seed_of(w.run),
        settings=PLAN.settings["prepare"],
    message:
        "Preparing images and weak labels of {wildcards.run}."
    shell:
        "python -m stages.prepare"
        " --image-folder {input.image_folder:q}"
        " --annotations {input.annotations:q}"
        " --out-images {output.images:q}"
        " --out-weak-labels {output.weak_labels:q}"
        " --out-categories {output.categories:q}"
        " --shards {params.shards}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
