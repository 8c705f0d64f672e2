"""The whole config: its sections, the run's own keys, and the JSON Schema made from them.

`python -m stages.settings.config` prints `workflow/schemas/config.schema.yaml`.
"""

import sys
from typing import Any, Literal

import yaml
from pydantic import TypeAdapter

from stages.settings.evaluate import Evaluate
from stages.settings.export import Export
from stages.settings.prepare import Prepare
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.report import Report
from stages.settings.section import CLOSED, Annotated, Field, dataclass
from stages.settings.select import Select
from stages.settings.train import Train
from stages.settings.variants import Variant, default_variants

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"  # becomes a folder, so no slashes


@dataclass(frozen=True, slots=True, config=CLOSED)
class Split:
    """One split of a data set; paths may hold environment variables, such as ${COCO_TINY}."""

    images: Annotated[str, Field(description="image folder")]
    annotations: Annotated[str, Field(description="COCO JSON file")]


@dataclass(frozen=True, slots=True, config=CLOSED)
class Partworld:
    """Size of the procedural demo data set."""

    train: Annotated[int, Field(ge=1, description="training scenes")] = 240
    val: Annotated[int, Field(ge=1, description="held-out scenes")] = 60


@dataclass(frozen=True, slots=True, config=CLOSED)
class Dataset:
    """Where images and labels are."""

    source: Annotated[
        Literal["partworld", "files"], Field(description="the demo's own world, or files on disk")
    ] = "partworld"
    partworld: Annotated[Partworld, Field(description="for source partworld")] = Partworld()
    train: Annotated[Split | None, Field(description="for source files: images to label")] = None
    val: Annotated[
        Split | None,
        Field(description="for source files: held out, for the detector's AP; or null"),
    ] = None
    ground_truth: Annotated[
        bool, Field(description="the training annotations hold true masks, so labels can be scored")
    ] = True


@dataclass(frozen=True, slots=True, config=CLOSED)
class Config:
    """All keys of config.yaml."""

    run: Annotated[str, Field(pattern=NAME, description="name of the folder below results/")] = (
        "demo"
    )
    variant: Annotated[
        str,
        Field(pattern=NAME, description="folder of what follows propose; variants share propose"),
    ] = "sapnet"
    seed: Annotated[int, Field(ge=0, description="of every random choice")] = 0
    shards: Annotated[
        int, Field(ge=1, le=1000, description="parts of the images; 128 suit COCO train2017")
    ] = 2
    device: Annotated[
        Literal["cpu", "cuda", "auto"], Field(description="auto: cuda when there is one")
    ] = "cpu"
    threads: Annotated[
        int, Field(ge=1, description="CPU threads per job; more than one is slow on loaded cores")
    ] = 1
    dataset: Annotated[
        Dataset, Field(description="images and labels: the demo's own world, or files on disk")
    ] = Dataset()
    prepare: Annotated[
        Prepare, Field(description="from annotations to weak labels (SAPNet, Sec. 4.1)")
    ] = Prepare()
    propose: Annotated[
        Propose, Field(description="SAM and its prompts (SAPNet, Sec. 3.1 and 4.2)")
    ] = Propose()
    select: Annotated[Select, Field(description="PSM with PDG (SAPNet, Sec. 3.2)")] = Select()
    refine: Annotated[Refine, Field(description="PNPG, PRM and BMS (SAPNet, Sec. 3.3 to 3.5)")] = (
        Refine()
    )
    export: Annotated[Export, Field(description="the pseudo-labels as COCO JSON")] = Export()
    train: Annotated[Train, Field(description="the detector (Mask R-CNN)")] = Train()
    evaluate: Annotated[Evaluate, Field(description="what is measured against ground truth")] = (
        Evaluate()
    )
    report: Annotated[Report, Field(description="the ablation: `snakemake ablation`")] = Report()
    variants: Annotated[
        dict[str, Variant],
        Field(description="what an ablation compares (SAPNet, Tables 3, 4, 6 and 7)"),
    ] = Field(default_factory=default_variants)


def config_schema() -> dict[str, Any]:
    """JSON Schema of the config: every key with description and default, no other keys allowed."""
    schema = TypeAdapter(Config).json_schema()
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inline(schema, definitions)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **inlined}


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace references by what they refer to; a key's own description and default win."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    plain = {key: value for key, value in node.items() if key != "title" or isinstance(value, dict)}
    return {key: _inline(value, definitions) for key, value in plain.items()}


if __name__ == "__main__":
    yaml.safe_dump(config_schema(), sys.stdout, sort_keys=False, width=100, allow_unicode=True)
