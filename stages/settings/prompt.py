"""Section `prompt`: who turns labels, or pixels, into prompts for the segmenter."""

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from stages.methods.prompter import PROMPTERS
from stages.settings.blocks import items_of, union_of
from stages.settings.section import Annotated, Field, Section


class Source(Section):
    """a prompter without keys of its own."""

    source: str


SOURCES = items_of(PROMPTERS, "source", Source)
if TYPE_CHECKING:
    AnySource = Source
else:
    AnySource = union_of(SOURCES, "source")


class Prompt(Section):
    """Where the first prompts come from."""

    sources: Annotated[
        tuple[AnySource, ...],
        Field(
            min_length=1,
            description="prompters, in this order; labels: each point and box is a prompt",
        ),
    ] = (SOURCES["labels"](source="labels"),)

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        names = [entry.source for entry in self.sources]
        if len(set(names)) < len(names):
            raise ValueError(f"{{at}}.sources: [{', '.join(names)}] names one twice")
        return self
