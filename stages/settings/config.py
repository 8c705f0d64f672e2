"""The whole config: its sections, and the run's own keys."""

from typing import Literal

from stages.settings.dataset import Dataset
from stages.settings.estimate import Estimate
from stages.settings.evaluate import Evaluate
from stages.settings.export import Export
from stages.settings.fit_prompt import FitPrompt
from stages.settings.grade import Grade
from stages.settings.label_cost import LabelCost
from stages.settings.predict import Predict
from stages.settings.prepare import Prepare
from stages.settings.prompt import Prompt
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.report import Report
from stages.settings.review import Review
from stages.settings.section import Annotated, Field, Section
from stages.settings.select import Select
from stages.settings.train import Train
from stages.settings.variants import Again, Variant, default_variants

LARGEST_SEED = 2**63 - 1  # that PyTorch takes
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"  # becomes a folder, so no slashes


class Config(Section):
    """All keys of config.yaml."""

    run: Annotated[str, Field(pattern=NAME, description="name of the folder below results/")] = (
        "demo"
    )
    variant: Annotated[
        str,
        Field(pattern=NAME, description="folder of what is not shared with other variants"),
    ] = "sapnet"
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED, description="of every random choice")] = 0
    shards: Annotated[
        int, Field(ge=1, le=1000, description="parts of the images; 128 suit COCO train2017")
    ] = 2
    device: Annotated[
        Literal["cpu", "cuda", "auto"], Field(description="auto: cuda when there is one")
    ] = "cpu"
    threads: Annotated[
        int, Field(ge=1, description="CPU threads per job; more than one is slow on loaded cores")
    ] = 1
    images_at_once: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="images that propose asks about at the same time, each on `threads` of its "
            "own: on a GPU some 4, which then need not wait for the CPU",
        ),
    ] = 1
    rounds: Annotated[
        int,
        Field(
            ge=1,
            le=20,
            description="how often labels are made; a later round reads the one before",
        ),
    ] = 1
    dataset: Annotated[
        Dataset, Field(description="images and labels: the demo's own world, or files on disk")
    ] = Dataset()
    prepare: Annotated[Prepare, Field(description="from annotations to weak labels ")] = Prepare()
    fit_prompt: Annotated[
        FitPrompt, Field(description="what learns where to ask, for prompter `clues` or `p2b`")
    ] = FitPrompt()
    prompt: Annotated[Prompt, Field(description="who turns labels into prompts")] = Prompt()
    propose: Annotated[
        Propose, Field(description="masks for each prompt (SAPNet, Sec. 3.1 and 4.2)")
    ] = Propose()
    select: Annotated[Select, Field(description="a choice among the masks of each bag")] = Select()
    refine: Annotated[Refine, Field(description="from what was chosen to pseudo-labels")] = Refine()
    grade: Annotated[
        Grade, Field(description="how far each pseudo-label can be trusted, without ground truth")
    ] = Grade()
    export: Annotated[Export, Field(description="the pseudo-labels as COCO JSON")] = Export()
    train: Annotated[Train, Field(description="the detector (Mask R-CNN)")] = Train()
    predict: Annotated[Predict, Field(description="the detector's answers on images")] = Predict()
    evaluate: Annotated[Evaluate, Field(description="what is measured against ground truth")] = (
        Evaluate()
    )
    report: Annotated[
        Report, Field(description="the page of a run; and the ablation: `snakemake ablation`")
    ] = Report()
    review: Annotated[
        Review, Field(description="what a person is shown to mend: `snakemake tasks`")
    ] = Review()
    label_cost: Annotated[
        LabelCost, Field(description="what a label buys: `snakemake label_cost`")
    ] = LabelCost()
    estimate: Annotated[
        Estimate, Field(description="what a run will cost: `snakemake estimate`")
    ] = Estimate()
    again: Annotated[
        Again, Field(description="what rounds after the first change, such as refine.method")
    ] = Again()
    variants: Annotated[
        dict[str, Variant],
        Field(
            description="what an ablation compares (SAPNet, Tables 3, 4, 6 and 7), and label_cost"
        ),
    ] = Field(default_factory=default_variants)
