"""What matches detections with objects: pycocotools, the reference, hotcoco or faster-coco-eval.

All speak COCO's own interface. hotcoco gives the arrays of pycocotools bit by bit, faster-coco-eval
its precision to the last place but one. An empty result is loaded as one (`COCO.loadRes([])` would
raise), and masks are scored with areas of masks, not of boxes: pycocotools would take the box's
where a result has both.
"""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from importlib import metadata
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

AUTO = "auto"
PYCOCOTOOLS, FASTER, HOTCOCO = "pycocotools", "faster_coco_eval", "hotcoco"
PACKAGES = {PYCOCOTOOLS: "pycocotools", FASTER: "faster-coco-eval", HOTCOCO: "hotcoco"}
HOTCOCO_TESTED = "1.3.0"  # older ones were wrong without a word: bytes were read as empty masks
RESULT_KEYS = {"bbox": ("bbox",), "segm": ("segmentation",)}  # that each kind needs


def chosen_backend(name: str) -> str:
    """The name itself; for `auto` hotcoco, where the version that was tested is, or pycocotools."""
    if name != AUTO:
        return name
    try:
        there = metadata.version(PACKAGES[HOTCOCO])
    except metadata.PackageNotFoundError:
        return PYCOCOTOOLS
    return HOTCOCO if there == HOTCOCO_TESTED else PYCOCOTOOLS


def scoring_packages(name: str) -> set[str]:
    """What the numbers of a backend rest on, for provenance: distributions."""
    return {"numpy", "pycocotools", PACKAGES[chosen_backend(name)]}


def backend_of(name: str) -> tuple[Any, Any]:
    """Makers (COCO, COCOeval) of a backend.

    Raises
    ------
    ValueError : it is not installed.
    """
    name = chosen_backend(name)
    if name == PYCOCOTOOLS:
        return COCO, COCOeval
    try:
        return _hotcoco() if name == HOTCOCO else _faster()
    except ImportError:
        package = PACKAGES[name]
        raise ValueError(
            f"evaluate.backend is {name}, but {package} is not installed. Install it "
            f"(pip install {package}), or set evaluate.backend: {PYCOCOTOOLS}."
        ) from None


def scorer_of(
    truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    backend: str = PYCOCOTOOLS,
) -> Any:
    """A COCOeval with COCO's own parameters, not yet run.

    Parameters
    ----------
    truth : COCO dictionary with images, categories and annotations (bbox, area, segmentation).
    results : COCO results: image_id, category_id, score, and bbox or segmentation.
    kind : "bbox" or "segm".

    Raises
    ------
    ValueError : a result speaks of an image or a class that the truth does not have.
    """
    _check(truth, results)
    index, scorer = backend_of(backend)
    with redirect_stdout(None):  # pycocotools prints
        gold = _indexed(index, {**truth, "annotations": _numbered(truth["annotations"])})
        found = _loaded(index, gold, results, RESULT_KEYS[kind])
        return scorer(gold, found, kind)


def _hotcoco() -> tuple[Any, Any]:
    from hotcoco import COCO as HotCOCO
    from hotcoco import COCOeval as HotCOCOeval

    return HotCOCO, HotCOCOeval


def _faster() -> tuple[Any, Any]:
    from faster_coco_eval import COCO as FasterCOCO
    from faster_coco_eval import COCOeval_faster

    # one thread: that is what evaluate's rule asks for
    return FasterCOCO, partial(COCOeval_faster, rle_iou_max_workers=1)


def _check(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> None:
    for key, entries in (("image_id", truth["images"]), ("category_id", truth["categories"])):
        known = {entry["id"] for entry in entries}
        odd = sorted({result[key] for result in results} - known)
        if odd:
            raise ValueError(
                f"predictions: {key} {odd[0]} is not in the ground truth. Give the ground truth of "
                "the images that were predicted, or rerun predict."
            )


def _numbered(annotations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Copies with ids from 1: COCOeval takes an object with id 0 for no match."""
    return [{**entry, "id": number} for number, entry in enumerate(annotations, start=1)]


def _indexed(index: Any, dataset: dict[str, Any]) -> Any:
    coco = index()
    coco.dataset = dataset
    coco.createIndex()
    return coco


def _loaded(
    index: Any, gold: Any, results: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> Any:
    if not results:
        return _indexed(index, {**gold.dataset, "annotations": []})
    names = ("image_id", "category_id", "score", *keys)
    return gold.loadRes([{name: result[name] for name in names} for result in results])
