# Labels of another format as COCO, where they are trained on or scored by
rule translate:
    input:
        image_folder=ancient(PLAN.translate.image_folder),
        annotations=watched(PLAN.translate.annotations),
        categories=PLAN.translate.known_classes,
    output:
        truth="results/{home}/translate/{split}.json",
    log:
        "results/{home}/logs/translate/{split}.log",
    benchmark:
        "results/{home}/benchmarks/translate/{split}.tsv"
    wildcard_constraints:
        home=PLAN.translate.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.translate.memory,
        runtime=PLAN.translate.minutes,
    params:
        setup=SETUP,
        code=PLAN.translate.code,
        digests=PLAN.translate.digests,
        format=PLAN.translate.format,
        links=PLAN.translate.links_flag,
        settings=PLAN.translate.settings,
        categories=lambda w, input: flag("--categories", input.categories),
    message:
        "Translating the labels of {wildcards.split} of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.translate"
        " --image-folder {input.image_folder:q}"
        " --annotations {input.annotations:q}"
        " --format {params.format}"
        " {params.links}"
        " {params.categories}"
        " --out {output.truth:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
