"""Cases built by hypothesis, which makes those that are findings as small as it can."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.built_json import coco, label_studio, labelme
from tests.fuzz.built_text import csv, cvat, voc, yolo
from tests.fuzz.cases import Case
from tests.fuzz.parts import Made

BUILDERS: dict[str, Callable[[], Made]] = {
    "coco": coco,
    "csv": csv,
    "labelme": labelme,
    "label_studio": label_studio,
    "cvat": cvat,
    "voc": voc,
    "yolo": yolo,
}


class FoundError(Exception):
    """A case is a finding that was not there before; hypothesis looks for a smaller one."""


def built(
    name: str, attempt: Callable[[Case], str], known: set[str], *, number: int, files: int
) -> None:
    """Try so many built cases of a format.

    Parameters
    ----------
    attempt : tries a case, and says where it is a finding, or nothing.
    known : places that need no smaller case; new ones are added.
    number : the seed of the cases.
    """
    new = set[str]()

    @seed(number)
    @settings(
        max_examples=files,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(BUILDERS[name]())
    def one(case: Case) -> None:
        place = attempt(case)
        if place and place not in known:
            new.add(place)
            raise FoundError(place)

    try:
        one()
    except FoundError:
        known |= new
