# Hold the engines side by side: detectors that learnt from the same labels
rule compare:
    input:
        facts=expand(rules.train.output.facts, engine=HERE, allow_missing=True),
        logs=expand(rules.train.output.log, engine=HERE, allow_missing=True),
        predictions=expand(
            rules.predict_held_out.output.predictions, engine=HERE, allow_missing=True
        ),
        val_ground_truth=own("val")(PLAN.compare.val_annotations),
    output:
        table="results/{home}/compare/engines.md",
        numbers="results/{home}/compare/engines.json",
    log:
        "results/{home}/logs/compare.log",
    benchmark:
        "results/{home}/benchmarks/compare.tsv"
    wildcard_constraints:
        home=PLAN.compare.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.compare.memory,
        runtime=PLAN.compare.minutes,
    params:
        setup=SETUP,
        code=PLAN.compare.code,
        digests=PLAN.compare.digests,
        settings=PLAN.compare.settings,
        truth=lambda w, input: flags(input, "val_ground_truth"),
        absent=flag("--absent", [name for name in ENGINES if name not in HERE]),
    message:
        "Comparing the engines on the labels of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.compare"
        " --facts {input.facts:q}"
        " --logs {input.logs:q}"
        " --predictions {input.predictions:q}"
        " {params.truth}"
        " {params.absent}"
        " --out {output.numbers:q}"
        " --out-table {output.table:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
