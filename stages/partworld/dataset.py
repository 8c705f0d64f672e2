"""Write PartWorld scenes as a COCO data set, or its single objects as images and masks.

In go a seed, a split, a look and a number of images; out go `DIR/images/000001.png` ... and, last
of all, `DIR/annotations.json`, whose existence means that everything is there. Equal arguments give
equal bytes, and image k is the same whether 10 or 1000 images are asked for. A look (`plain`, or
`hard`, in which colour gives no object away) changes pixels alone.

Split `salient` stands in for photographs of salient objects: scenes of one object, seen whole, as
`DIR/images/000001.png` ... and their masks, `DIR/masks/000001.png` ..., of 0 and 255.

Annotations are COCO's (xywh boxes, compressed RLE with string counts, ids from 1) plus two keys:
`cluster`, shared by the objects of one row or pile of an image, and `difficulty`:
  occluded   less than 80 % of the object is visible
  group      otherwise, and a mate of its class is visible in its cluster
  part       otherwise, and the whole consists of several parts, each a tempting answer
  single     otherwise: alone, and a single part
Objects with under 300 visible px^2, with under 35 % visible, or without the part that tells their
class are marked `iscrowd: 1`: they carry no weak label and count neither way.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from stages.partworld.classes import CLASSES
from stages.partworld.layout import SIDE
from stages.partworld.looks import LOOKS
from stages.partworld.scenes import SALIENT, Instance, Scene, render_scene
from stages.runtime.atomic import replacing
from stages.runtime.program import refused_by_the_system, say
from stages.runtime.progress import Progress

VERSION = 1  # of the world: raise it when equal arguments no longer give equal bytes


def categories() -> list[dict[str, Any]]:
    """COCO categories, ids from 1 in the order of `CLASSES`."""
    return [
        {"id": number, "name": item.name, "supercategory": item.supercategory}
        for number, item in enumerate(CLASSES, start=1)
    ]


def annotation(
    mask: NDArray[np.bool_], instance: Instance, *, image_id: int, annotation_id: int
) -> dict[str, Any]:
    """One COCO annotation.

    Parameters
    ----------
    mask : (h, w) bool visible mask, not empty.
    instance : the object.
    image_id, annotation_id : >= 1.

    Returns
    -------
    JSON-ready dict; `bbox` is xywh px, `area` px^2, `segmentation` compressed RLE.
    """
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": instance.category_id,
        "bbox": [float(value) for value in coco_mask.toBbox(rle)],
        "area": instance.area,
        "iscrowd": int(instance.is_crowd),
        "segmentation": {"size": list(mask.shape), "counts": rle["counts"].decode("ascii")},
        "cluster": instance.cluster,
        "difficulty": instance.difficulty,
    }


def scene_annotations(scene: Scene, *, image_id: int, first_id: int) -> list[dict[str, Any]]:
    """The annotations of a scene, numbered from `first_id` (>= 1), crowds included."""
    whole = scene.level_map("whole")
    return [
        annotation(
            whole == item.instance_id, item, image_id=image_id, annotation_id=first_id + number
        )
        for number, item in enumerate(scene.instances)
    ]


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an (h, w, 3) uint8 RGB image, or a gray one of (h, w), complete or not at all.

    Raises
    ------
    RuntimeError : the image could not be encoded.
    """
    stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", stored)
    if not done:
        raise RuntimeError(f"partworld: {path}: OpenCV could not encode {image.shape} as PNG.")
    with replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())


def write_dataset(
    out: Path, *, split: str, images: int, seed: int, look: str = "plain"
) -> dict[str, int]:
    """Draw a split into `out`, images first, `annotations.json` last.

    Parameters
    ----------
    out : folder, made if missing.
    split : `train` or `val`; splits share no scene.
    images : >= 1.
    seed : >= 0.
    look : one of `LOOKS`.

    Returns
    -------
    Counts: images, objects, crowds.

    Raises
    ------
    ValueError : `images` or `seed` is out of range.
    """
    _check_numbers(images, seed)
    (out / "annotations.json").unlink(missing_ok=True)  # it must not vouch for images to come
    records: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    progress = Progress("partworld", images)
    for index in range(images):
        scene, name = render_scene(seed, split, index, look=look), f"{index + 1:06d}.png"
        write_png(out / "images" / name, scene.image)
        records.append({"id": index + 1, "file_name": name, "height": SIDE, "width": SIDE})
        objects += scene_annotations(scene, image_id=index + 1, first_id=len(objects) + 1)
        progress.step()
    info = {"description": "PartWorld", "version": VERSION, "split": split, "seed": seed}
    content = {
        "info": info if look == "plain" else info | {"look": look},
        "images": records,
        "categories": categories(),
        "annotations": objects,
    }
    with replacing(out / "annotations.json") as temporary:
        temporary.write_text(json.dumps(content, indent=None, separators=(",", ":")), "utf-8")
    return {
        "images": images,
        "objects": len(objects),
        "crowds": sum(item["iscrowd"] for item in objects),
    }


def write_salient(out: Path, *, images: int, seed: int, look: str = "plain") -> int:
    """Draw split `salient` into `out`: each image, then its mask.

    Parameters
    ----------
    out : folder, made if missing. images : >= 1. seed : >= 0. look : one of `LOOKS`.

    Returns
    -------
    The number of images.

    Raises
    ------
    ValueError : `images` or `seed` is out of range, or `out` holds images or masks already, among
        which those to come would be lost.
    """
    _check_numbers(images, seed)
    for folder in (out / "images", out / "masks"):
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"partworld: {folder} holds files already. Give an empty folder.")
    progress = Progress("partworld", images)
    for index in range(images):
        scene, name = render_scene(seed, SALIENT, index, look=look), f"{index + 1:06d}.png"
        write_png(out / "images" / name, scene.image)
        mask = (scene.level_map("whole") > 0).astype(np.uint8) * np.uint8(255)
        write_png(out / "masks" / name, np.asarray(mask))
        progress.step()
    return images


def _check_numbers(images: int, seed: int) -> None:
    if images < 1 or seed < 0:
        raise ValueError(
            f"partworld: --images is {images} and --seed is {seed}. Give at least 1 and 0."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m stages.partworld.dataset",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to fill; made if missing"
    )
    parser.add_argument(
        "--split",
        choices=("train", "val", SALIENT),
        required=True,
        help="which scenes: no two splits share one, whatever the seed",
    )
    parser.add_argument(
        "--images", type=int, required=True, metavar="N", help="number of images, at least 1"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the world, from 0 (default: 0)"
    )
    parser.add_argument(
        "--look", choices=LOOKS, default="plain", help="how the scenes are painted (default: plain)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Command line: draw one split and say what is in it."""
    options = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    try:
        said = _written(options)
    except (ValueError, OSError) as error:
        text = refused_by_the_system(error) if isinstance(error, OSError) else str(error)
        print(text, file=sys.stderr)
        return 2
    say("partworld", said)
    return 0


def _written(options: argparse.Namespace) -> str:
    """Draw what was asked for; says what is there now."""
    given = {"images": options.images, "seed": options.seed, "look": options.look}
    if options.split == SALIENT:
        return f"{write_salient(options.out, **given)} images with masks ({options.out})"
    counts = write_dataset(options.out, split=options.split, **given)
    return (
        f"{counts['images']} images, {counts['objects']} objects,"
        f" {counts['crowds']} of them crowds ({options.out / 'annotations.json'})"
    )


if __name__ == "__main__":
    sys.exit(main())
