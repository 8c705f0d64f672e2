# Hold variants and seeds side by side
rule report:
    input:
        metrics=PLAN.report.metrics(),
        detector_metrics=PLAN.report.detector_metrics(),
    output:
        table="results/{run}/report/ablation.md",
        numbers="results/{run}/report/ablation.json",
        figure="results/{run}/report/ablation.png",
        detectors="results/{run}/report/detectors.png",
    log:
        "results/{run}/logs/report.log",
    benchmark:
        "results/{run}/benchmarks/report.tsv"
    conda:
        "../../envs/stages.yaml"
    threads: 1
    params:
        code=code_of("stages.report"),
        variants=flag("--variants", PLAN.report.variants),
        seeds=flag("--seeds", PLAN.report.seeds),
        over=PLAN.report.over_json(),
        detectors=flag("--detector-variants", PLAN.report.detectors),
        detector_seeds=flag("--detector-seeds", PLAN.report.detector_seeds),
        detector_metrics=lambda w, input: flag("--detector-metrics", input.detector_metrics),
        settings=PLAN.report.settings,
    message:
        "Comparing the variants of {wildcards.run}."
    shell:
        "python -m stages.report"
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
