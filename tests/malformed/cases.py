"""Which file of a finished run is spoilt how, before which program reads it: one row a case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.malformed.spoiling import CUT, DOUBLED, NO_FILE, Spoil
from tests.malformed.spoilt_json import ANNOTATIONS, EXPORTED, FACTS, GRADER, RESULTS, TREES
from tests.malformed.spoilt_models import OURS, WEIGHTS
from tests.malformed.spoilt_tables import FILES, HEADERS, MASKS, ROWS_OF, SHARDS

OTHER_SEED, OTHER_SHARD = "of another seed", "of another shard"
SAM, GRADER_FILE = "workflow/resources/vit_tiny.pth", "workflow/resources/grader.json"


@dataclass(frozen=True, slots=True)
class Case:
    """A file that is spoilt before a program reads it.

    kind : of what is spoilt. flag : that names the file, whose last path is meant; or the path.
    spoil : its name. how : that does it; None: the file of another run, or of another shard.
    """

    kind: str
    program: str
    flag: str
    spoil: str
    how: Spoil | None

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.program} {self.flag.lstrip('-')}, {self.spoil}"


PREPARED = ("--images", "--weak-labels")
CLASSED = (*PREPARED, "--categories")
SHARDED = ("--proposals", "--selections", "--pseudo-labels", "--trails", "--grades")
READ: dict[str, tuple[str, ...]] = {  # every fault of every table that these read
    "grade": (*PREPARED, *SHARDED[:3]),
    "export": ("--categories", "--pseudo-labels", "--grades"),
}
READ_TOO: dict[str, tuple[str, ...]] = {  # some faults: the same readers stand behind them
    "propose": PREPARED,
    "fit_select": (*CLASSED, "--proposals"),
    "select": (*CLASSED, "--proposals"),
    "fit_refine": (*CLASSED, *SHARDED[:2]),
    "refine": (*CLASSED, *SHARDED[:2]),
    "evaluate": (*CLASSED, *SHARDED),
    "report": (*CLASSED, *SHARDED, "--objects"),
}
SOME = ("cut by a byte", "missing", "half of its rows")
WITH_MASKS = (("grade", "--proposals"), ("grade", "--pseudo-labels"), ("export", "--pseudo-labels"))


def _table_cases() -> Iterator[Case]:
    faults = {**FILES, **ROWS_OF, **HEADERS}
    for program, flags in READ.items():
        for flag in flags:
            own = {**faults, **(SHARDS if flag in SHARDED else {})}
            yield from _all("table", program, flag, own)
            yield from _strangers(program, flag)
    for program, flags in READ_TOO.items():
        for flag in flags:
            yield from _all("table", program, flag, {name: faults[name] for name in SOME})
            if program != "report":  # which judges nothing
                yield from _strangers(program, flag)
    for program, flag in WITH_MASKS:
        yield from _all("mask", program, flag, MASKS)


def _strangers(program: str, flag: str) -> Iterator[Case]:
    """The same table of another run, and of another shard."""
    yield Case("table", program, flag, OTHER_SEED, None)
    if flag in SHARDED:
        yield Case("table", program, flag, OTHER_SHARD, None)


def _all(kind: str, program: str, flag: str, spoils: Mapping[str, Spoil]) -> Iterator[Case]:
    for name, how in spoils.items():
        yield Case(kind, program, flag, name, how)


def _model_cases() -> Iterator[Case]:
    ours = {**WEIGHTS, **OURS}
    for program in ("select", "predict_held_out"):
        yield from _all("model", program, "--model", ours)
    yield from _all("weights", "propose", SAM, WEIGHTS)


NAMES = ("a name that leads outside", "a name that is too long", "a name with a zero byte")
UNREAD = {"evaluate": NAMES, "predict_held_out": ("no images",)}  # which change nothing there


def _json_cases() -> Iterator[Case]:
    files = {**CUT, **NO_FILE}
    del files["cut by a byte"]  # an end of line that nothing depends on
    yield from _all("pseudo-labels", "evaluate", "--exported", {**files, **DOUBLED, **EXPORTED})
    yield from _all("pseudo-labels", "train", "--labels", {**files, **DOUBLED, **TREES})
    yield from _all("results", "evaluate", "--predictions", {**files, **DOUBLED, **RESULTS})
    yield from _all("facts", "evaluate", "--training", {**files, **DOUBLED, **FACTS})
    yield from _all("grader", "grade", GRADER_FILE, {**files, **DOUBLED, **GRADER})
    for program, flag in (
        ("prepare", "--annotations"),
        ("predict_held_out", "--val-annotations"),
        ("evaluate", "--val-ground-truth"),
    ):
        trees = {**TREES, **(ANNOTATIONS if program == "prepare" else {})}
        for name in UNREAD.get(program, ()):
            del trees[name]
        yield from _all("annotations", program, flag, {**files, **DOUBLED, **trees})


CASES = [*_table_cases(), *_model_cases(), *_json_cases()]
