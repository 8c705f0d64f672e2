"""review: what is handed out is read back by the readers of those tools, mask for mask."""

import json
from pathlib import Path

import pytest

from stages import review
from stages.formats.format import AUTO
from stages.formats.labels_at import labels_at
from stages.formats.mask_decoding import decoded_mask
from stages.runtime.faults import Faults
from tests.handed_out import handed_out, usual
from tests.written_labels import SIZE


def run(folder: Path, **settings: int) -> Path:
    path, out = handed_out(folder), folder / "review"
    review.main([f"--labels={path}", f"--out={out}", f"--settings={json.dumps(settings)}"])
    return out


def as_submitted(path: Path) -> Path:
    """Label Studio's tasks once somebody has accepted all predictions as they are."""
    tasks = json.loads(path.read_text())
    for task in tasks:
        results = [result for made in task.pop("predictions") for result in made["result"]]
        task["annotations"] = [{"id": 1, "was_cancelled": False, "result": results}]
    out = path.with_name("export.json")
    out.write_text(json.dumps(tasks))
    return out


@pytest.mark.parametrize("name", ["label_studio.json", "cvat.xml", "coco.json"])
def test_tasks_hold_the_masks_of_their_images(tmp_path: Path, name: str) -> None:
    path = run(tmp_path) / name
    path = as_submitted(path) if name == "label_studio.json" else path
    faults = Faults(path)
    _, found = labels_at(path, tmp_path / "photographs", read=AUTO, faults=faults)
    faults.check()
    classes = {entry["id"]: entry["name"] for entry in found.categories}
    names = {image["id"]: image["file_name"] for image in found.images}
    assert set(names.values()) == {"sub/a.b.jpg", "ü <&>.png"}
    seen = sorted(
        (
            names[label.image_id],
            classes[label.category_id],
            decoded_mask(label.mask, *SIZE)["counts"],
        )
        for label in found.labels
    )
    files = {4: "sub/a.b.jpg", 7: "ü <&>.png"}
    ours = {0: "cat", 3: "dog & <co>"}
    wanted = sorted(
        (
            files[entry["image_id"]],
            ours[entry["category_id"]],
            entry["segmentation"]["counts"].encode(),
        )
        for entry in usual()
    )
    assert seen == wanted


def test_a_task_tells_label_studio_how_doubtful_each_region_is(tmp_path: Path) -> None:
    tasks = json.loads((run(tmp_path) / "label_studio.json").read_text())
    [prediction] = tasks[0]["predictions"]
    assert prediction["score"] == 0.2
    regions = {region["id"]: region for region in prediction["result"]}
    assert regions["annotation-12"]["score"] == 0.2
    assert "falls into pieces" in regions["annotation-12"]["meta"]["text"][0]
    interface = (tmp_path / "review" / "label_studio.xml").read_text()
    assert '<Label value="dog &amp; &lt;co&gt;"/>' in interface


def test_no_more_images_than_wanted_are_tasks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(tmp_path, images=1, labels=3)
    assert len(json.loads((out / "label_studio.json").read_text())) == 1
    assert len((out / "review.csv").read_text().splitlines()) == 4
    said = capsys.readouterr().err
    assert "the 3 most doubtful of 4 labels" in said
    assert "1 images are tasks" in said


def test_the_same_labels_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    names = sorted(path.name for path in first.iterdir())
    assert len(names) == 6
    assert all((first / n).read_bytes() == (second / n).read_bytes() for n in names)
