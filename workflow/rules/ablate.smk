# Hold variants and seeds side by side
rule ablate:
    input:
        metrics=PLAN.metrics,
        detector_metrics=PLAN.detector_metrics,
    output:
        table="results/{home}/report/ablation.md",
        numbers="results/{home}/report/ablation.json",
        figure="results/{home}/report/ablation.png",
        detectors="results/{home}/report/detectors.png",
    log:
        "results/{home}/logs/ablate.log",
    benchmark:
        "results/{home}/benchmarks/ablate.tsv"
    wildcard_constraints:
        home=re.escape(config["run"]),
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=light_memory,
        runtime=light_minutes,
    params:
        setup=SETUP,
        code=code_of("stages.ablate"),
        variants=flag("--variants", PLAN.comparison.variants),
        seeds=flag("--seeds", PLAN.comparison.seeds),
        over=PLAN.comparison.over_json(),
        detectors=flag("--detector-variants", PLAN.comparison.detectors),
        detector_seeds=flag("--detector-seeds", PLAN.comparison.detector_seeds),
        detector_metrics=lambda w, input: flag("--detector-metrics", input.detector_metrics),
        settings=PLAN.comparison.settings,
    message:
        "Comparing the variants of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.ablate"
        " --metrics {input.metrics:q}"
        " {params.variants}"
        " {params.seeds}"
        " --over {params.over:q}"
        " {params.detectors}"
        " {params.detector_seeds}"
        " {params.detector_metrics}"
        " --out {output.numbers:q}"
        " --out-table {output.table:q}"
        " --out-figure {output.figure:q}"
        " --out-detectors {output.detectors:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
