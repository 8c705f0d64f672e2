# Draw the single objects of the demo's own world, with their masks
rule salient:
    output:
        images=directory("results/{home}/partworld/salient/images"),
        masks=directory("results/{home}/partworld/salient/masks"),
    log:
        "results/{home}/logs/partworld/salient.log",
    benchmark:
        "results/{home}/benchmarks/partworld/salient.tsv"
    wildcard_constraints:
        home=PLAN.partworld.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.partworld.memory,
        runtime=PLAN.partworld.minutes,
    params:
        setup=SETUP,
        code=PLAN.partworld.code,
        folder=subpath(output.images, parent=True),
        images=config["dataset"]["partworld"]["salient"],
        look=config["dataset"]["partworld"]["look"],
        seed=PLAN.partworld.seed,
    message:
        "Drawing single objects of PartWorld, {wildcards.home}."
    shell:
        "{params.setup} python -m stages.partworld.dataset"
        " --out {params.folder:q}"
        " --split salient"
        " --images {params.images}"
        " --look {params.look}"
        " --seed {params.seed}"
        " 2> {log:q}"
