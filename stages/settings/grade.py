"""Section `grade`: how far each pseudo-label can be trusted, without ground truth."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.section import PLACE, Annotated, Field, Section


class Grade(Section):
    """Who says how sure a label is, and how good its mask."""

    method: Annotated[
        Literal["additive", "own"],
        Field(
            description="additive: a small model of the evidence, calibrated; own: what the "
            "methods of the papers say themselves"
        ),
    ] = "additive"
    model: Annotated[
        str | None,
        Field(
            description="file of the model: the shipped one, or what "
            "`python -m stages.grading.train_grader` has written; not read with own"
        ),
        PLACE,
    ] = "workflow/resources/grader.json"
    chunk: Annotated[int, Field(ge=1, description="images between two saved parts")] = 256

    @model_validator(mode="after")
    def _has_a_model(self) -> Self:
        if self.method == "additive" and self.model is None:
            raise ValueError("{at}.model: null, which {at}.method additive needs; name a file")
        return self
