# Weak labels in, instance masks out: prepare -> (prompt ->) propose -> select -> refine -> export -> train -> predict -> evaluate


from snakemake.utils import min_version

min_version("9.19")


configfile: f"{workflow.current_basedir}/config.yaml"


include: "workflow/rules/common.smk"


rule all:
    input:
        PLAN.targets,
    localrule: True


include: "workflow/rules/partworld.smk"
include: "workflow/rules/salient.smk"
include: "workflow/rules/translate.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/fit_prompt.smk"
include: "workflow/rules/prompt.smk"
include: "workflow/rules/fit_propose.smk"
include: "workflow/rules/propose.smk"
include: "workflow/rules/fit_select.smk"
include: "workflow/rules/select.smk"
include: "workflow/rules/fit_refine.smk"
include: "workflow/rules/refine.smk"
include: "workflow/rules/grade.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/convert.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/train_half.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/predict_crossed.smk"
include: "workflow/rules/predict_held_out.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/ablate.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/label_cost.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/tidy.smk"


# Every variant of `report.variants` with every seed, side by side
rule ablation:
    input:
        expand(rules.ablate.output, home=config["run"]),
    localrule: True


# The most doubtful labels as a list, and as tasks of the tools that people mend them with
rule tasks:
    input:
        expand(rules.review.output, home=PLAN.reviewed),
    localrule: True


# The config's detector by every engine that is installed, on the same labels
rule compare_engines:
    input:
        expand(rules.compare.output, home=PLAN.compared_engines),
    localrule: True
