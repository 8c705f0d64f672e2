# Hold kinds of labels side by side: what each costs a person, and what it is worth
rule label_cost:
    input:
        metrics=PLAN.label_cost.metrics,
        weak_labels=PLAN.label_cost.weak_labels,
        categories=PLAN.label_cost.categories,
    output:
        table=f"results/{config['run']}/label_cost/label_cost.md",
        numbers=f"results/{config['run']}/label_cost/label_cost.json",
        figure=f"results/{config['run']}/label_cost/label_cost.png",
    log:
        f"results/{config['run']}/logs/label_cost.log",
    benchmark:
        f"results/{config['run']}/benchmarks/label_cost.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=light_memory,
        runtime=light_minutes,
    params:
        setup=SETUP,
        code=code_of("stages.label_cost"),
        variants=flag("--variants", PLAN.label_cost.cases.variants),
        supervised=flag("--supervised", PLAN.label_cost.cases.supervised),
        seeds=flag("--seeds", PLAN.label_cost.cases.seeds),
        settings=PLAN.label_cost.cases.settings,
    message:
        "Comparing what labels cost and buy."
    shell:
        "{params.setup} python -m stages.label_cost"
        " --metrics {input.metrics:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " {params.variants}"
        " {params.supervised}"
        " {params.seeds}"
        " --out {output.numbers:q}"
        " --out-table {output.table:q}"
        " --out-figure {output.figure:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
