# The page of a run: what was made, and why; for people, nothing reads it
rule report:
    input:
        images=PLAN.report.images,
        weak_labels=PLAN.report.weak_labels,
        categories=PLAN.report.categories,
        proposals=PLAN.report.proposals,
        selections=PLAN.report.selections,
        pseudo_labels=PLAN.report.pseudo_labels,
        trails=PLAN.report.trails,
        grades=PLAN.report.grades,
        objects=PLAN.report.objects,
        figure=PLAN.report.figure,
        image_folder=ancient(PLAN.report.image_folder),
    output:
        page=report(
            directory("results/{home}/report"),
            htmlindex="index.html",
            caption="../captions/report.rst",
            category="Labels",
        ),
    log:
        "results/{home}/logs/report.log",
    benchmark:
        "results/{home}/benchmarks/report.tsv"
    wildcard_constraints:
        home=PLAN.report.homes,
    conda:
        "../../envs/stages.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.report.memory,
        runtime=PLAN.report.minutes,
    params:
        setup=SETUP,
        code=PLAN.report.code,
        settings=PLAN.report.settings,
        facts=PLAN.report.facts,
        benchmarks=PLAN.report.benchmarks,
    message:
        "Writing the page of {wildcards.home}."
    shell:
        "{params.setup} python -m stages.report"
        " --images {input.images:q}"
        " --weak-labels {input.weak_labels:q}"
        " --categories {input.categories:q}"
        " --proposals {input.proposals:q}"
        " --selections {input.selections:q}"
        " --pseudo-labels {input.pseudo_labels:q}"
        " --trails {input.trails:q}"
        " --grades {input.grades:q}"
        " --objects {input.objects:q}"
        " --figure {input.figure:q}"
        " --image-folder {input.image_folder:q}"
        " --benchmarks {params.benchmarks:q}"
        " --facts {params.facts:q}"
        " --out {output.page:q}"
        " --settings {params.settings:q}"
        " 2> {log:q}"
