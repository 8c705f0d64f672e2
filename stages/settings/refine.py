"""Section `refine`: PNPG, PRM and BMS (SAPNet, Sec. 3.3 to 3.5)."""

from typing import Literal

from stages.settings.section import CLOSED, Annotated, Field, dataclass
from stages.settings.training import Training


@dataclass(frozen=True, slots=True, config=CLOSED)
class Ppg:
    """Positive proposals: scaled copies of box_psm (SAPNet, Eq. 4; counts: the authors' code)."""

    enabled: Annotated[bool, Field(description="false: the bag is not enlarged")] = True
    expand_step: Annotated[float, Field(ge=0, description="step of the coarse set")] = 0.01
    expand_count: Annotated[int, Field(ge=0, description="boxes of the coarse set")] = 15
    fine_step: Annotated[float, Field(ge=0, description="step of the fine set (clean box_psm)")] = (
        0.005
    )
    fine_first: Annotated[int, Field(ge=0, description="first step of the fine set")] = 16
    fine_count: Annotated[int, Field(ge=0, description="boxes of the fine set")] = 5
    shrink_step: Annotated[
        float,
        Field(
            ge=0, description="step of the shrinking set (box_psm encloses another object's point)"
        ),
    ] = 0.005
    clamp: Annotated[
        Literal["image", "zero"],
        Field(description="image: cut at all borders; zero: authors' code"),
    ] = "image"


@dataclass(frozen=True, slots=True, config=CLOSED)
class Npg:
    """Negative proposals: background and parts (SAPNet, Sec. 3.3)."""

    enabled: Annotated[bool, Field(description="false: no negatives")] = True
    background: Annotated[
        int, Field(ge=0, description="random boxes per image; authors' code: 500")
    ] = 100
    t_neg1: Annotated[
        float, Field(gt=0, le=1, description="background has a lower IoU with every proposal; 0.3")
    ] = 0.3
    t_neg2: Annotated[
        float, Field(gt=0, le=1, description="parts have a lower IoU with box_psm; 0.5")
    ] = 0.5
    part_mode: Annotated[
        Literal["center", "random", "none"],
        Field(description="center: one centred box of half the sides; random: four inside box_psm"),
    ] = "random"
    part_min_area: Annotated[
        float,
        Field(ge=0, description="px^2 of the network input; smaller objects give no parts; 4096"),
    ] = 256.0


@dataclass(frozen=True, slots=True, config=CLOSED)
class Bms:
    """Box mining strategy (SAPNet, Sec. 3.5, Algorithm 2)."""

    mode: Annotated[
        Literal["paper", "code", "none"],
        Field(description="paper: Algorithm 2; code: merged in place, as the authors' code; none"),
    ] = "paper"
    k: Annotated[int, Field(ge=1, description="proposals looked at; 3")] = 3
    t_min1: Annotated[float, Field(ge=0, le=1, description="IoU of rule overlap; 0.6")] = 0.6
    t_min2: Annotated[float, Field(ge=0, le=1, description="IoU of rule contain; 0.3")] = 0.3
    tolerance: Annotated[float, Field(ge=0, description="px allowed in `inside`; 2")] = 2.0
    stages: Annotated[
        tuple[Literal["psm", "prm"], ...],
        Field(
            description="whose boxes are mined; [prm]: paper; [psm, prm]: authors' code, where "
            "PPG then starts from the mined box"
        ),
    ] = ("prm",)


@dataclass(frozen=True, slots=True, config=CLOSED)
class Vote:
    """The masks of a bag vote for each pixel; not in the paper."""

    enabled: Annotated[
        bool,
        Field(description="true: the mask is voted; false: the proposal closest to box_prm, paper"),
    ] = True
    quality_exponent: Annotated[
        float, Field(ge=0, description="power of SAM's predicted IoU in the weight of a mask")
    ] = 3.0
    threshold: Annotated[
        float, Field(gt=0, le=1, description="share of the weight that a pixel needs")
    ] = 0.35


@dataclass(frozen=True, slots=True, config=CLOSED)
class Zoom:
    """SAM is asked again, close up, about box_prm or the voted mask; not in the paper."""

    enabled: Annotated[
        bool, Field(description="true: costs two passes of SAM's image encoder per object")
    ] = True
    window: Annotated[
        float, Field(gt=1, le=8, description="side of the crop, in longer sides of the box")
    ] = 2.0
    margin: Annotated[
        float,
        Field(
            gt=0,
            le=4,
            description="sides of the box that SAM is given, in sides of the refined one",
        ),
    ] = 1.3


@dataclass(frozen=True, slots=True, config=CLOSED)
class Refine:
    """The second multiple-instance stage."""

    method: Annotated[
        Literal["prm", "none"],
        Field(description="prm: learned; none: select's choice is the pseudo-label"),
    ] = "prm"
    fit: Annotated[
        Literal["staged", "joint"],
        Field(
            description="staged: PRM is trained after PSM, in fit_refine; joint: with it, in "
            "fit_select, sharing all layers but the last (paper)"
        ),
    ] = "staged"
    ppg: Annotated[Ppg, Field(description="positive proposals")] = Ppg()
    npg: Annotated[Npg, Field(description="negative proposals")] = Npg()
    bms: Annotated[Bms, Field(description="box mining")] = Bms()
    start: Annotated[
        Literal["select", "scratch"],
        Field(description="where the shared layers start: from select's model, or anew"),
    ] = "select"
    alpha: Annotated[
        float,
        Field(ge=0, le=1, description="weight of the positive loss; negatives 1 - alpha; 0.25"),
    ] = 0.25
    neg_norm: Annotated[
        Literal["kept", "objects"],
        Field(
            description="kept: the mean over the negatives, paper; objects: their sum per object, "
            "authors' code, which gives them more weight"
        ),
    ] = "objects"
    score: Annotated[
        Literal["softmax", "sigmoid"],
        Field(description="class score at selection; softmax as in the authors' code"),
    ] = "softmax"
    pdg_exponent: Annotated[
        float,
        Field(ge=0, description="exponent of S_dis in the PRM score; paper 0: not used in PRM"),
    ] = 4.0
    quality_exponent: Annotated[
        float, Field(ge=0, description="power of SAM's predicted IoU in the PRM score; paper 0")
    ] = 0.0
    vote: Annotated[Vote, Field(description="a mask out of all masks of the bag")] = Vote()
    zoom: Annotated[Zoom, Field(description="a mask out of the refined box")] = Zoom()
    clean: Annotated[
        float, Field(ge=0, le=1, description="as propose.clean, for what vote and zoom make")
    ] = 0.25
    mps: Annotated[
        Literal["paper", "code"],
        Field(
            description="runner-up masks (MPS, Eq. 9): highest, middle and lowest of the others, "
            "or the authors' ranks 1, 3 and 5"
        ),
    ] = "paper"
    training: Annotated[Training, Field(description="optimiser and schedule")] = Training()
    chunk: Annotated[
        int, Field(ge=1, description="images per part: a killed shard loses at most one part")
    ] = 256
