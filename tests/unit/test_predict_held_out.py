"""predict_held_out: what the engine itself says, as COCO results; killed and resumed alike."""

import json
import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from pycocotools.coco import COCO

from stages import predict_held_out
from stages.engines import torchvision as engine
from stages.engines.training_labels import Labels
from stages.settings.train import Train
from tests.rectangles import write_rectangles

CPU = torch.device("cpu")
TRAIN: dict[str, Any] = {
    **{"short_side": 64, "long_side": 64, "fpn_channels": 16, "rois_per_image": 16},
    **{"iterations": 5, "warmup": 0, "batch_images": 2},
    **{"score_threshold": 0.0, "detections_per_image": 5},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of rectangles with their labels, and a detector that has looked at them."""
    folder = tmp_path_factory.mktemp("held_out")
    labels = Labels(write_rectangles(folder))
    given = {"image_folder": folder, "device": CPU, "seed": 0}
    header = {"categories": labels.categories}
    engine.train(Train(**TRAIN), labels, folder / "model.pt", header=header, **given)
    return folder


def run(trained: Path, out: Path, *words: str, val: Path | None = None, **settings: Any) -> str:
    """What is written about the rectangles, or about another split in their folder."""
    split = [f"--val-image-folder={trained}", f"--val-annotations={val or trained / 'labels.json'}"]
    given = [f"--model={trained / 'model.pt'}", f"--out={out}", "--device=cpu", *split, *words]
    given += ["--settings", json.dumps(settings), "--train-settings", json.dumps(TRAIN)]
    predict_held_out.main(given)
    return out.read_text()


def changed(trained: Path, path: Path, image: dict[str, Any], **more: Any) -> Path:
    """The split with a change of its last image, and of the file."""
    split = json.loads((trained / "labels.json").read_text())
    split["images"][-1] |= image
    path.write_text(json.dumps({**split, **more}))
    return path


def test_without_a_split_the_list_is_empty_and_no_model_is_read(tmp_path: Path) -> None:
    out = tmp_path / "predictions.json"
    predict_held_out.main([f"--model={tmp_path / 'none.pt'}", f"--out={out}"])
    assert out.read_text() == "[]\n"


@pytest.mark.parametrize("chunk", [1, 2, 256])
def test_it_writes_what_the_engine_says(trained: Path, tmp_path: Path, chunk: int) -> None:
    images = json.loads((trained / "labels.json").read_text())["images"]
    place: dict[str, Any] = {"image_folder": trained, "device": CPU}
    found = engine.predict(Train(**TRAIN), trained / "model.pt", images, **place)
    lines = [json.dumps(result) for results in found for result in results]
    text = run(trained, tmp_path / "predictions.json", chunk=chunk)
    assert text == "[\n" + ",\n".join(lines) + "\n]\n"
    assert len(lines) == 5 * 5  # with threshold 0, all that may be written
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.json"]


def test_results_open_in_pycocotools_with_original_category_ids(
    trained: Path, tmp_path: Path
) -> None:
    run(trained, tmp_path / "predictions.json")
    found = COCO(str(trained / "labels.json")).loadRes(str(tmp_path / "predictions.json"))
    assert {entry["category_id"] for entry in found.anns.values()} <= {3, 8, 9}
    assert {entry["image_id"] for entry in found.anns.values()} == {1, 2, 3, 4, 5}
    assert all(found.annToMask(entry).shape == (64, 64) for entry in found.anns.values())


def run_killed(trained: Path, out: Path, images: int) -> list[int]:
    """Predicts in parts of two until the engine dies; the ids that it was asked about."""
    whole, asked = engine.predict, list[int]()

    def dies(settings: Any, model: Any, some: Any, **more: Any) -> Iterator[Any]:
        asked.extend(image["id"] for image in some)
        yield from islice(whole(settings, model, some, **more), images)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "predict", dies)
        with pytest.raises(KeyboardInterrupt):
            run(trained, out, chunk=2)
    assert not out.exists()
    return asked


def test_killed_it_asks_about_the_rest_alone_and_ends_with_the_same_bytes(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, out = run(trained, tmp_path / "whole.json"), tmp_path / "predictions.json"
    assert run_killed(trained, out, 3) == [1, 2, 3, 4, 5]
    assert run_killed(trained, out, 0) == [3, 4, 5]
    capsys.readouterr()
    assert run(trained, out, chunk=2) == whole
    told = capsys.readouterr().err
    assert "resuming; finished work is kept" in told
    assert "5 held-out images, 25 detections." in told


def test_parts_of_other_photographs_are_thrown_away(trained: Path, tmp_path: Path) -> None:
    own = shutil.copytree(trained, tmp_path / "own")
    run_killed(own, tmp_path / "predictions.json", 3)
    shutil.copyfile(own / "2.png", own / "1.png")
    assert run_killed(own, tmp_path / "predictions.json", 0) == [1, 2, 3, 4, 5]


def test_of_the_split_only_images_and_classes_matter(trained: Path, tmp_path: Path) -> None:
    stripped = changed(trained, tmp_path / "val.json", {}, annotations="stripped")
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    assert run(trained, one) == run(trained, other, val=stripped)


@pytest.mark.parametrize(
    ("image", "more", "sentence"),
    [
        ({"file_name": "none.png"}, {}, "this file is missing"),
        ({"height": 60}, {}, "64 x 64 px, but the annotation file says 64 x 60 px"),
        ({}, {"categories": [{"id": 3, "name": "red"}, {"id": 8, "name": "blue"}]}, "'blue' here"),
    ],
    ids=["missing", "size", "classes"],
)
def test_a_split_that_does_not_fit_is_refused_before_the_detector_is_opened(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    image: dict[str, Any],
    more: dict[str, Any],
    sentence: str,
) -> None:
    monkeypatch.setattr(engine, "predict", lambda *_, **__: pytest.fail("opened"))
    val = changed(trained, tmp_path / "val.json", image, **more)
    with pytest.raises(ValueError, match=sentence):
        run(trained, tmp_path / "predictions.json", val=val)


def test_one_flag_of_two_is_refused(tmp_path: Path) -> None:
    words = [f"--model={tmp_path / 'm.pt'}", f"--out={tmp_path / 'o'}", "--val-annotations=a.json"]
    with pytest.raises(ValueError, match="go together"):
        predict_held_out.main(words)


@pytest.mark.coco_tiny
def test_real_photographs_are_predicted_with_their_own_classes(tmp_path: Path) -> None:
    data = Path(os.environ["COCO_TINY"])
    labels = Labels(data / "annotations" / "instances_train2017.json")
    given = {"image_folder": data / "train2017", "device": CPU, "seed": 0}
    header = {"categories": labels.categories}
    settings = Train(**{**TRAIN, "iterations": 2})
    engine.train(settings, labels, tmp_path / "model.pt", header=header, **given)
    whole = json.loads((data / "annotations" / "instances_val2017.json").read_text())
    split = {**whole, "images": whole["images"][:3], "annotations": []}
    (tmp_path / "val.json").write_text(json.dumps(split))
    images = f"--val-image-folder={data / 'val2017'}"
    run(tmp_path, tmp_path / "predictions.json", images, val=tmp_path / "val.json")
    found = COCO(str(tmp_path / "val.json")).loadRes(str(tmp_path / "predictions.json"))
    assert len(found.getAnnIds()) == 15
    known = {entry["id"] for entry in whole["categories"]}
    assert {entry["category_id"] for entry in found.anns.values()} <= known
