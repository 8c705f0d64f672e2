"""yolo: lines of segments, as Ultralytics trains on.

Out go `data.yaml`, `images.txt` (a list of the photographs) and `labels/<name>.txt` for each of
them, folders in its name kept; one without objects has an empty file, else readers would take it
for unlabelled. A line is the number of a class, from 0 in the order of their ids, and x, y in turn
as shares of the image's sides, six digits. It holds one ring: fragments are joined by cuts, and
holes as well; cv2.fillPoly paints the cuts between fragments, a pixel wide. An object without a
trusted mask is its box: a reader takes a line of four numbers beside longer ones for a segment, and
to leave it out would teach that nothing is there. Scores are lost.

Photographs are not copied. Ultralytics finds the labels of a photograph where `labels` stands in
place of the last `images` in its path, so a folder `images`, or a link to one, belongs beside
`labels`. It would look behind a link that `data.yaml` names, but takes what a list names as it
stands: hence the list. `data.yaml` has no `path`: Ultralytics then takes the folder that the file
is in, wherever that is moved.
"""

from pathlib import Path, PurePosixPath

import yaml

from stages.formats.pseudo_label_file import Entry, PseudoLabelFile
from stages.formats.rings import box_ring, rings_of
from stages.formats.writer import Counts
from stages.geometry.outlines import single_ring

HEAD = """\
# Put the photographs, or a link to their folder, beside this file as `images`.
# `val` is the same list, since the key must be there: name held-out photographs to be judged by.
"""
LIST = "images.txt"


def write(labels: PseudoLabelFile, folder: Path) -> Counts:
    """Write the labels; see `stages.formats.writer`."""
    stems = labels.stems()
    names = [entry["name"] for entry in labels.categories]
    places = {entry["id"]: number for number, entry in enumerate(labels.categories)}
    data = {"train": LIST, "val": LIST, "names": names}
    head = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(HEAD + head, encoding="utf-8")
    (folder / LIST).write_text("".join(map(listed, labels.images)), encoding="utf-8")
    counts: Counts = {
        "images": 0,
        "objects": 0,
        "boxes in place of a mask": 0,
        "of fragments, joined by cuts": 0,
    }
    for image, entries in labels.by_image():
        path = folder / "labels" / f"{stems[image['id']]}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [line_of(entry, image, places, counts) for entry in entries]
        path.write_text("".join(lines), encoding="utf-8")
        counts["images"] += 1
    return counts


def listed(image: Entry) -> str:
    """The line of one photograph in the list.

    Raises
    ------
    ValueError : a folder in its name is called `images`, so that its labels would not be found.
    """
    name = image["file_name"]
    if "images" in PurePosixPath(name).parts[:-1]:
        raise ValueError(
            f"image {name}: YOLO's readers look for its labels where its own folder `images` "
            "stands. Rename that folder, or give it as the folder of the photographs."
        )
    return f"./images/{name}\n"


def line_of(entry: Entry, image: Entry, places: dict[int, int], counts: Counts) -> str:
    """The line of one object; what it loses is counted."""
    rings = rings_of(entry)
    counts["objects"] += 1
    counts["boxes in place of a mask"] += not rings
    counts["of fragments, joined by cuts"] += len(rings) > 1
    ring = single_ring(rings or [box_ring(entry)])
    shares = ring / (image["width"], image["height"])
    numbers = [f"{value:.6f}" for value in shares.reshape(-1)]
    return f"{places[entry['category_id']]} {' '.join(numbers)}\n"
