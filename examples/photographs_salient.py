r"""A salient set, and photographs labelled with boxes in two parts, of COCO files: for BoxCaseg.

    python examples/photographs_salient.py data/boxes \
        --salient "$PHOTOS"/train/{horses,davis16,ccp}.json \
        --boxes "$PHOTOS"/measure/*.json "$COCO_TINY"/annotations/instances_*.json

Below data/boxes come to lie

    salient/images, salient/masks   photographs of one object each, large and in one piece
    photographs                     those of --boxes
    learn.json, measure.json        their objects, every second photograph in either

A file of --salient gives the photographs that have one object; annotations whose `kind` is part,
region or component count as none. What is salient is in neither part. `learn.json` keeps its masks,
so that the same file can be learned from by its boxes (prepare.labels: box) and scored.
"""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

PARTS = ("part", "region", "component")  # kinds of annotations that are no whole objects
Entry = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    add = parser.add_argument
    add("out", type=Path, help="folder to fill; made if missing")
    add("--salient", type=Path, nargs="+", default=[], help="COCO files of single objects")
    add("--boxes", type=Path, nargs="+", default=[], help="COCO files to label with boxes")
    add("--large", type=float, default=0.04, help="least share of a salient photograph (0.04)")
    add("--single", type=float, default=0.95, help="least share of the largest piece (0.95)")
    add("--without", nargs="+", default=[], help="classes that no salient object is to have")
    args = parser.parse_args(arguments)
    if args.out.exists() and any(args.out.iterdir()):
        parser.error(f"{args.out} holds files already. Name an empty folder.")
    used = write_salient(args.out / "salient", args)
    write_parts(args.out, args.boxes, used)


def write_salient(out: Path, args: argparse.Namespace) -> set[Path]:
    """Write the photographs of one object each, with their masks; returns where they came from."""
    left_out: Counter[str] = Counter()
    used = set[Path]()
    for file in args.salient:
        for image, entries, path in photographs(file):
            mask, reason = _only_object(image, entries, args)
            if mask is None:
                left_out[reason] += 1
                continue
            used.add(path.resolve())
            picture = placed(path, out / "images", file)
            target = (out / "masks" / picture.name).with_suffix(".png")
            target.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target), mask * 255)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    print(f"salient: {len(used)} photographs; left out: {reasons or 'none'}")
    return used


def write_parts(out: Path, files: Sequence[Path], used: set[Path]) -> None:
    """Copy the photographs that are not `used`, and write the two files of their objects."""
    found = [
        (file, *photograph)
        for file in files
        for photograph in photographs(file)
        if photograph[2].resolve() not in used
    ]
    names = sorted({entry["name"] for _, _, entries, _ in found for entry in entries})
    ids = {name: number for number, name in enumerate(names, start=1)}
    for part, name in enumerate(("learn", "measure")):
        coco: dict[str, Any] = {"images": [], "annotations": []}
        for file, image, entries, path in found[part::2]:
            number = len(coco["images"]) + 1
            picture = placed(path, out / "photographs", file)
            coco["images"].append({**image, "id": number, "file_name": picture.name})
            for entry in entries:
                own = {"id": len(coco["annotations"]) + 1, "image_id": number}
                coco["annotations"].append({**entry, **own, "category_id": ids[entry["name"]]})
        coco["categories"] = [{"id": number, "name": name} for name, number in ids.items()]
        (out / f"{name}.json").write_text(json.dumps(coco))
        print(f"{name}: " + ", ".join(f"{len(coco[key])} {key}" for key in coco))


def photographs(file: Path) -> Iterator[tuple[Entry, list[Entry], Path]]:
    """Each image of a COCO file by its name, its annotations with their class, and its path."""
    coco = json.loads(file.read_text())
    names = {entry["id"]: entry["name"] for entry in coco["categories"]}
    of_image: dict[int, list[Entry]] = {image["id"]: [] for image in coco["images"]}
    for entry in coco["annotations"]:
        of_image[entry["image_id"]].append({**entry, "name": names[entry["category_id"]]})
    for image in sorted(coco["images"], key=lambda image: image["file_name"]):
        yield image, of_image[image["id"]], found_at(file, image["file_name"])


def found_at(file: Path, name: str) -> Path:
    """Where a photograph of a COCO file lies: beside it, above it, or in COCO's own folders.

    Raises
    ------
    ValueError : nowhere.
    """
    above = file.resolve().parent.parent
    folders = (file.parent, above, above / file.stem.rpartition("_")[2], above / "images")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{file}: there is no {name} in {', '.join(map(str, folders))}.")


def placed(path: Path, folder: Path, file: Path) -> Path:
    """A photograph's copy in a folder, under a name that tells the COCO file that it is from."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{file.stem}-{PurePath(path).name}"
    if target.exists():
        raise ValueError(f"{path}: there is a {target.name} already; give each file its own name.")
    return Path(shutil.copyfile(path, target))


def _only_object(
    image: Mapping[str, Any], entries: Sequence[Entry], args: argparse.Namespace
) -> tuple[np.ndarray | None, str]:
    """(h, w) uint8 mask of a photograph's only object, or None and why it is not taken."""
    objects = [entry for entry in entries if entry.get("kind") not in PARTS]
    if len(objects) != 1 or objects[0].get("iscrowd"):
        return None, "not of one object"
    if objects[0]["name"] in args.without:
        return None, "of another class"
    mask = mask_of(objects[0]["segmentation"], image["height"], image["width"])
    if mask.mean() < args.large:
        return None, "small"
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size or areas.max() < args.single * areas.sum():
        return None, "in pieces"
    return mask, ""


def mask_of(segmentation: Any, height: int, width: int) -> np.ndarray:
    """(h, w) uint8 mask, 0 or 1, of polygons or RLE, compressed or not."""
    rle = segmentation
    if isinstance(segmentation, list):
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = coco_mask.frPyObjects(segmentation, height, width)
    return np.ascontiguousarray(coco_mask.decode(rle))


if __name__ == "__main__":
    main()
