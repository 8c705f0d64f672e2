"""The box mining strategy: shared by the refiners that mine boxes (SAPNet, Sec. 3.4)."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.section import Annotated, Field, Section


class Mining(Section):
    """Box mining strategy (SAPNet, Sec. 3.4, Algorithm 2)."""

    mode: Annotated[
        Literal["paper", "code", "none"],
        Field(description="paper: Algorithm 2; code: merged in place, as the authors' code; none"),
    ] = "paper"
    k: Annotated[int, Field(ge=1, description="proposals looked at; 3")] = 3
    t_min1: Annotated[float, Field(ge=0, le=1, description="IoU of rule overlap; 0.6")] = 0.6
    t_min2: Annotated[float, Field(ge=0, le=1, description="IoU of rule contain; 0.3")] = 0.3
    tolerance: Annotated[
        float, Field(ge=0, description="px allowed in `inside`; paper: 0, authors' code: 2")
    ] = 0.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.t_min2 > self.t_min1:
            raise ValueError(
                f"{{at}}: t_min2 {self.t_min2:g} is more than t_min1 {self.t_min1:g}; the rule "
                "`contain` is meant for the lower overlap, so swap them"
            )
        return self

    def mines(self, stage: str) -> bool:
        """Whether the boxes of a stage, "psm" or "prm", are mined."""
        return self.mode != "none"
