"""Label Studio's JSON export: in comes the list of tasks, out come the labels of one person each.

Of a task, the annotation counts that was submitted last. What its coordinates mean is in
`stages.formats.label_studio_regions`, how a task names its photograph in
`stages.formats.label_studio_names`. Results with one id are one region, whose class may stand in a
result of its own, or be a choice that was made for the region; other choices are tags.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stages.formats import label_studio_regions as regions
from stages.formats.assembly import Assembly
from stages.formats.format import Labelled
from stages.formats.label_studio_names import photograph_of
from stages.formats.values import number, shown
from stages.runtime.faults import Faults

ADVICE = "Choose JSON, the first of the formats, in Label Studio's export."
MINIMAL = ("annotation_id", "annotator", "lead_time")  # keys of tasks in JSON-MIN
Numbered = tuple[int, Mapping[str, Any]]  # a result and its number in the annotation, from 1 on


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels in an export.

    Raises
    ------
    ValueError : the file is missing, or no export of tasks as JSON.
    """
    assembly, places = Assembly(faults), dict[int, str]()
    try:
        for count, task in enumerate(_tasks(source), start=1):
            with faults.caught("tasks", _place(task, count)):
                _take_task(task, images, place=_place(task, count), places=places, to=assembly)
    except RecursionError:
        raise ValueError(f"{source}: it is nested too deeply for an export. {ADVICE}") from None
    return assembly.labelled()


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The file."""
    return [source]


def file_names(source: Path, images: Path) -> Sequence[str]:
    """The photographs of tasks with an annotation."""
    return [image["file_name"] for image in read(source, images, Faults(source)).images]


def _tasks(source: Path) -> list[Any]:
    try:
        tasks = json.loads(source.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{source}: this file is missing. Correct dataset in config.") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{source}: it cannot be read as JSON ({error}). {ADVICE}") from None
    if not isinstance(tasks, list) or not tasks:
        raise ValueError(f"{source}: there is no list of tasks in it. {ADVICE}")
    objects = [task for task in tasks if isinstance(task, Mapping)]
    if not any("data" in task for task in objects):
        is_minimal = any(key in task for task in objects for key in MINIMAL)
        what = (
            "it is JSON-MIN, which leaves out what is needed" if is_minimal else "no task has data"
        )
        raise ValueError(f"{source}: {what}. {ADVICE}")
    return tasks


def _place(task: Any, count: int) -> str:
    """A task by its id in Label Studio."""
    number_or_name = task.get("id") if isinstance(task, Mapping) else None
    is_named = isinstance(number_or_name, int | str)
    return f"task {shown(number_or_name)}" if is_named else f"entry {count}"


def _take_task(
    task: Any, images: Path, *, place: str, places: dict[int, str], to: Assembly
) -> None:
    """A task's photograph and labels; `places` has the task that shows each image, by its id."""
    annotation = _submitted(task, to.left_out)
    if annotation is None:
        to.left_out["tasks without a submitted annotation"] += 1
        return
    name = photograph_of(task, images)
    other = places.setdefault(to.image(name), place)
    if other is not place:
        raise ValueError(f"it shows {shown(name)}, as {other} does. Remove one of the two.")
    _take_results(annotation.get("result"), name, place=place, assembly=to)


def _submitted(task: Any, left_out: Counter[str]) -> Mapping[str, Any] | None:
    """The annotation of a task that was submitted last; what else there is, is counted."""
    if not isinstance(task, Mapping):
        raise ValueError(f"{shown(task)} is no task. {ADVICE}")
    given = task.get("annotations", task.get("completions")) or []
    if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
        raise ValueError(f"its annotations {shown(given)} are no list of objects. {ADVICE}")
    submitted = [e for e in given if not (e.get("was_cancelled") or e.get("skipped"))]
    others = {
        "annotations that were cancelled": len(given) - len(submitted),
        "annotations that were not the last submitted of their task": len(submitted) - 1,
        "drafts": _length(task.get("drafts")),
        "predictions": _length(task.get("predictions")),
    }
    left_out.update({words: count for words, count in others.items() if count > 0})
    ordered = sorted(submitted, key=_time)  # stable: of equal times, the last counts
    return ordered[-1] if ordered else None


def _length(entries: Any) -> int:
    return len(entries) if isinstance(entries, list) else 0


def _time(annotation: Mapping[str, Any]) -> float:
    """When an annotation was last changed, s; before all others where that is not known."""
    for key in ("updated_at", "created_at"):
        value = annotation.get(key)
        try:
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            return number(value)  # Label Studio 0.x
        except (ValueError, OverflowError):
            continue
    return -math.inf


def _take_results(results: Any, name: str, *, place: str, assembly: Assembly) -> None:
    """The labels of one annotation."""
    if not isinstance(results, list):
        raise ValueError(f"its result is {shown(results)}, no list. {ADVICE}")
    for group in _groups(results, place, assembly.faults):
        spot = f"{place}: result {group[0][0]}"
        with assembly.faults.caught("results", spot):
            _take([result for _, result in group], name, spot, assembly)


def _groups(results: Sequence[Any], place: str, faults: Faults) -> list[list[Numbered]]:
    """Results that share an id are of one region; one without an id is alone."""
    groups: dict[tuple[str, int], list[Numbered]] = {}
    for count, result in enumerate(results, start=1):
        with faults.caught("results", f"{place}: result {count}"):
            regions.kind_of(result)
            name = result.get("id")
            key = (name, 0) if isinstance(name, str) and name else ("", count)
            groups.setdefault(key, []).append((count, result))
    return list(groups.values())


def _take(results: Sequence[Mapping[str, Any]], name: str, place: str, assembly: Assembly) -> None:
    """A region, or tags; what is neither is counted."""
    shapes = [result for result in results if regions.shape_of(result)]
    classes, choices = regions.classes_of(results), regions.choices_of(results)
    assembly.left_out.update(regions.others_of(results))
    if shapes:
        _take_region(shapes, classes or choices, name, place=place, assembly=assembly)
        if choices and classes:
            assembly.left_out["choices for regions that have a class"] += len(choices)
        elif choices:
            assembly.told["regions whose class is the choice made for them"] += 1
        return
    for choice in choices:
        assembly.label(assembly.image(name), choice, place=place)


def _take_region(
    shapes: Sequence[Mapping[str, Any]],
    classes: Sequence[str],
    name: str,
    *,
    place: str,
    assembly: Assembly,
) -> None:
    """The label of a region; `shapes` are the results that draw it, all in the same way."""
    why = regions.unfit(shapes[0])
    if why:
        assembly.left_out[why] += 1
        return
    values = regions.values_of(shapes)
    height, width = regions.size_of(shapes[0]) or (None, None)
    if not classes:
        raise ValueError("this region has no class. Give it one in Label Studio, or delete it.")
    image_id = assembly.image(name, height=height, width=width)
    assembly.label(image_id, classes[0], place=place, **values)
    if len(classes) > 1:
        assembly.told["regions of several classes, taken as their first"] += 1
    if regions.is_turned(shapes[0]):
        assembly.told["rectangles that were turned, taken as the box around them"] += 1
