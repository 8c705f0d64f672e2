# Read the annotations; draw or read the weak labels; deal the images to shards
rule prepare:
    input:
        # ancient: a new file beside the photographs changes nothing, the annotations decide
        image_folder=ancient(PLAN.prepare.image_folder),
        annotations=watched(PLAN.prepare.annotations),
        corrections=ancient(PLAN.prepare.corrections),
    output:
        images="results/{home}/prepare/images.parquet",
        weak_labels="results/{home}/prepare/weak_labels.parquet",
        categories="results/{home}/prepare/categories.parquet",
        skipped="results/{home}/prepare/skipped.txt",
    log:
        "results/{home}/logs/prepare.log",
    benchmark:
        "results/{home}/benchmarks/prepare.tsv"
    wildcard_constraints:
        home=PLAN.prepare.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.prepare.memory,
        runtime=PLAN.prepare.minutes,
    params:
        setup=SETUP,
        code=PLAN.prepare.code,
        digests=PLAN.prepare.digests,
        format=PLAN.prepare.format,
        truth=PLAN.prepare.truth_flag,
        links=PLAN.prepare.links_flag,
        corrections=lambda w, input: flags(input, "corrections"),
        shards=config["shards"],
        seed=PLAN.prepare.seed,
        settings=PLAN.prepare.settings,
    message:
        "Preparing images and weak labels of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.prepare"
        " --image-folder {input.image_folder:q}"
        " --annotations {input.annotations:q}"
        " --format {params.format}"
        " {params.truth}"
        " {params.links}"
        " {params.corrections}"
        " --out-images {output.images:q}"
        " --out-weak-labels {output.weak_labels:q}"
        " --out-categories {output.categories:q}"
        " --out-skipped {output.skipped:q}"
        " --shards {params.shards}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
