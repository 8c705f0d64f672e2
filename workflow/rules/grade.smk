# How far each pseudo-label can be trusted, without ground truth
rule grade:
    input:
        images=PLAN.grade.images,
        weak_labels=PLAN.grade.weak_labels,
        proposals=PLAN.grade.proposals,
        selections=PLAN.grade.selections,
        pseudo_labels=PLAN.grade.pseudo_labels,
        model=ancient(PLAN.grade.weights),
    output:
        grades="results/{home}/grade/shard-{shard}.parquet",
    log:
        "results/{home}/logs/grade/shard-{shard}.log",
    benchmark:
        "results/{home}/benchmarks/grade/shard-{shard}.tsv"
    wildcard_constraints:
        home=PLAN.grade.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.grade.memory,
        runtime=PLAN.grade.minutes,
    params:
        setup=SETUP,
        code=PLAN.grade.code,
        digests=PLAN.grade.digests,
        shard="{shard}",
        seed=PLAN.grade.seed,
        settings=PLAN.grade.settings,
    message:
        "Grading pseudo-labels, shard {wildcards.shard} of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.grade"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " --pseudo-labels {input.pseudo_labels:q}"
        " --shard {params.shard}"
        " --out {output.grades:q}"
        " --seed {params.seed}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
