"""Keys of PRM, the proposal refinement module, with PNPG and BMS (SAPNet, Sec. 3.3 and 3.4)."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from stages.settings.mining import Mining
from stages.settings.section import CHOOSE, FIT, Annotated, Field, Section
from stages.settings.training import Training


class Ppg(Section):
    """Positive proposals: scaled copies of box_psm (SAPNet, Eq. 4)."""

    enabled: Annotated[bool, Field(description="false: the bag is not enlarged")] = True
    form: Annotated[
        Literal["paper", "code"],
        Field(
            description="paper: larger and smaller, by 1 + v / S_dis and 1 - v / S_dis; code: a "
            "clean box is only enlarged, one that encloses another object's point shrunk too"
        ),
    ] = "code"
    step: Annotated[
        float, Field(ge=0, description="form paper: v is this, twice this, ...; not in the paper")
    ] = 0.01
    count: Annotated[
        int, Field(ge=0, description="form paper: how many v; two boxes each; not in the paper")
    ] = 10
    expand_step: Annotated[float, Field(ge=0, description="form code: step of the coarse set")] = (
        0.01
    )
    expand_count: Annotated[int, Field(ge=0, description="form code: boxes of the coarse set")] = 15
    fine_step: Annotated[
        float, Field(ge=0, description="form code: step of the fine set (clean box_psm)")
    ] = 0.005
    fine_first: Annotated[int, Field(ge=0, description="form code: first step of the fine set")] = (
        16
    )
    fine_count: Annotated[int, Field(ge=0, description="form code: boxes of the fine set")] = 5
    shrink_step: Annotated[
        float,
        Field(
            ge=0,
            description="form code: step of the shrinking set (box_psm encloses another object's "
            "point)",
        ),
    ] = 0.005
    clamp: Annotated[
        Literal["image", "zero"],
        Field(description="image: cut at all borders; zero: authors' code"),
    ] = "image"


class Npg(Section):
    """Negative proposals: background and parts (SAPNet, Sec. 3.3)."""

    enabled: Annotated[bool, Field(description="false: no negatives")] = True
    background: Annotated[
        int, Field(ge=0, description="random boxes per image; authors' code: 500, paper: not said")
    ] = 100
    t_neg1: Annotated[
        float, Field(gt=0, le=1, description="background has a lower IoU with every proposal; 0.3")
    ] = 0.3
    t_neg2: Annotated[
        float,
        Field(
            gt=0, le=1, description="parts have a lower IoU with box_psm; 0.5, inert with center"
        ),
    ] = 0.5
    part_mode: Annotated[
        Literal["center", "random", "none"],
        Field(
            description="random: up to four inside box_psm, paper; center: one centred box of half "
            "the sides, authors' code"
        ),
    ] = "random"
    part_min_area: Annotated[
        float,
        Field(
            ge=0,
            description="px^2 of the network input; smaller objects give no parts; authors' "
            "code: 4096, paper: none",
        ),
    ] = 0.0


class Bms(Mining):
    """Box mining strategy (SAPNet, Sec. 3.4, Algorithm 2)."""

    stages: Annotated[
        tuple[Literal["psm", "prm"], ...],
        Field(
            description="whose boxes are mined; [prm]: paper; [psm, prm]: authors' code, where "
            "PPG then starts from the mined box"
        ),
    ] = ("prm",)

    def mines(self, stage: str) -> bool:
        """Whether the boxes of a stage, "psm" or "prm", are mined."""
        return self.mode != "none" and stage in self.stages


class Settings(Section):
    """PNPG, PRM and BMS: learned (SAPNet, Sec. 3.3 and 3.4)."""

    fit: Annotated[
        Literal["staged", "joint"],
        Field(
            description="staged: PRM is trained after PSM, in fit_refine; joint: with it, in "
            "fit_select, sharing all layers but the last (paper)"
        ),
    ] = "staged"
    start: Annotated[
        Literal["select", "scratch"],
        Field(description="where the shared layers start: from select's model, or anew"),
        FIT,
    ] = "select"
    ppg: Annotated[Ppg, Field(description="positive proposals")] = Ppg()
    npg: Annotated[Npg, Field(description="negative proposals"), FIT] = Npg()
    bms: Annotated[Bms, Field(description="box mining"), CHOOSE] = Bms()
    alpha: Annotated[
        float,
        Field(ge=0, le=1, description="weight of the positive loss; negatives 1 - alpha; 0.25"),
        FIT,
    ] = 0.25
    neg_norm: Annotated[
        Literal["kept", "objects"],
        Field(
            description="kept: the mean over the negatives, paper; objects: their sum per object, "
            "authors' code, which gives them more weight"
        ),
        FIT,
    ] = "objects"
    weight_dis: Annotated[
        bool,
        Field(
            description="an object's weight in the positive loss, <c, S> of Eq. 5, has S_dis in it "
            "(Eq. 3); false: authors' code"
        ),
        FIT,
    ] = False
    score: Annotated[
        Literal["softmax", "sigmoid"],
        Field(description="class score at selection; softmax as in the authors' code"),
        CHOOSE,
    ] = "softmax"
    pdg_exponent: Annotated[
        float,
        Field(ge=0, description="exponent of S_dis in the PRM score; paper 0: not used in PRM"),
        CHOOSE,
    ] = 4.0
    quality_exponent: Annotated[
        float,
        Field(ge=0, description="power of SAM's predicted IoU in the PRM score; paper 0"),
        CHOOSE,
    ] = 0.0
    training: Annotated[Training, Field(description="optimiser and schedule"), FIT] = Training()

    @classmethod
    def also_for_fit(cls, values: Mapping[str, Any], *, joint: bool) -> Iterable[str]:
        """BMS counts where it moves the boxes that PPG starts from."""
        bms = values.get("bms")
        return ("bms",) if bms and bms["mode"] != "none" and "psm" in bms["stages"] else ()
