"""Several COCO files of photographs as one, COCO's supercategories being the classes.

    python examples/photographs_coco.py data/photographs.json "$PHOTOS"/measure/*.json

Files are joined as they are: images and annotations get new ids, 1, 2, ... in the order of the
files, and keep all else that stands in them (size, `coco_id`, `license`); an annotation's own class
stays as `name`. With `--own` in front, the classes stay the files' own, joined by name. Of a file
whose photographs lie in a folder of their own, that is named before it: `val2017=FILE`.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

SUPERCATEGORIES = {  # of COCO's 80 classes, as in its instances_*2017.json
    "person": "person",
    "vehicle": "bicycle, car, motorcycle, airplane, bus, train, truck, boat",
    "outdoor": "traffic light, fire hydrant, stop sign, parking meter, bench",
    "animal": "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    "accessory": "backpack, umbrella, handbag, tie, suitcase",
    "sports": "frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, "
    "skateboard, surfboard, tennis racket",
    "kitchen": "bottle, wine glass, cup, fork, knife, spoon, bowl",
    "food": "banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake",
    "furniture": "chair, couch, potted plant, bed, dining table, toilet",
    "electronic": "tv, laptop, mouse, remote, keyboard, cell phone",
    "appliance": "microwave, oven, toaster, sink, refrigerator",
    "indoor": "book, clock, vase, scissors, teddy bear, hair drier, toothbrush",
}
OF_CLASS = {name: group for group, names in SUPERCATEGORIES.items() for name in names.split(", ")}


def joined(files: Iterable[Mapping[str, Any]], classes: Mapping[str, str]) -> dict[str, Any]:
    """One COCO dictionary of several; `classes` maps the files' names of classes to those wanted.

    Raises
    ------
    ValueError : a class that `classes` does not have.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for file in files:
        names = {entry["id"]: entry["name"] for entry in file["categories"]}
        strangers = sorted(set(names.values()) - set(classes))
        if strangers:
            raise ValueError(f"classes that are none of COCO's: {', '.join(strangers)}. Use --own.")
        numbers = {image["id"]: len(images) + k for k, image in enumerate(file["images"], start=1)}
        images += [{**image, "id": numbers[image["id"]]} for image in file["images"]]
        annotations += [
            {**entry, "image_id": numbers[entry["image_id"]], "name": names[entry["category_id"]]}
            for entry in file["annotations"]
        ]
    wanted = sorted({classes[entry["name"]] for entry in annotations})
    ids = {name: number for number, name in enumerate(wanted, start=1)}
    for number, entry in enumerate(annotations, start=1):
        entry |= {"id": number, "category_id": ids[classes[entry["name"]]]}
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def opened(source: str) -> dict[str, Any]:
    """The file of `FILE` or `FOLDER=FILE`, with the folder before the names of photographs."""
    folder, _, path = source.rpartition("=")
    file: dict[str, Any] = json.loads(Path(path).read_text())
    if folder:
        for image in file["images"]:
            image["file_name"] = f"{folder}/{image['file_name']}"
    return file


def main(arguments: Sequence[str]) -> None:
    """Join the files and say what came of it."""
    is_own = arguments[:1] == ["--own"]
    out, *sources = arguments[is_own:]
    files = [opened(source) for source in sources]
    own = {entry["name"]: entry["name"] for file in files for entry in file["categories"]}
    coco = joined(files, own if is_own else OF_CLASS)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(json.dumps(coco))
    print(", ".join(f"{len(coco[name])} {name}" for name in coco))


if __name__ == "__main__":
    main(sys.argv[1:])
