"""predict: what a detector says of its own training images, in shards, resumed with equal bytes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages import predict
from stages.engines import torchvision as engine
from stages.engines.halves import half_of
from stages.engines.training_labels import Labels
from stages.geometry.boxes import box_iou
from stages.learning.model_file import load_model, to_bytes
from stages.photographs.reading import digest_of
from stages.runtime.provenance import sha256_of
from stages.settings.train import Train
from stages.tables.headers import read_header
from stages.tables.images import IMAGES, shard_of
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import CROSSED, PREDICTIONS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.shard_names import shard_names
from stages.tables.table import boxes_of, read_table
from tests.rectangles import SIDE, write_rectangles
from tests.sound_rows import image_row, pseudo_label_row, write_rows

TRAIN: dict[str, Any] = {
    **{"short_side": 64, "long_side": 64, "fpn_channels": 32, "rois_per_image": 32},
    **{"iterations": 60, "warmup": 5, "batch_images": 2},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of rectangles, tables of them, and a detector that has learned them."""
    folder = tmp_path_factory.mktemp("predict")
    labels = Labels(write_rectangles(folder))
    given = {"image_folder": folder, "device": torch.device("cpu"), "seed": 0}
    header = {"categories": labels.categories}
    engine.train(Train(**TRAIN), labels, folder / "model.pt", header=header, **given)
    return folder


def write_tables(folder: Path, shards: int, out: Path) -> list[list[str]]:
    """What stands before predict, and a command line for each shard."""
    data = json.loads((folder / "labels.json").read_text())
    rows, labels = [], []
    for image in data["images"]:
        digest = digest_of((folder / image["file_name"]).read_bytes(), 1, None)
        shard = {"shard": shard_of(image["id"], shards), "digest": digest}
        sides = {"height": SIDE, "width": SIDE}
        rows.append(image_row(image["id"], file_name=image["file_name"], **sides, **shard))
    for one in data["annotations"]:
        x, y, w, h = one["bbox"]
        more = {"category_id": one["category_id"], "box": [x, y, x + w, y + h]}
        mask = {"rle": one["segmentation"]["counts"].encode(), "height": SIDE, "width": SIDE}
        labels.append(pseudo_label_row(one["image_id"], one["id"], **more, **mask))
    write_rows(out / "images.parquet", IMAGES, rows)
    commands = []
    for number, name in enumerate(shard_names(shards)):
        mine = [row for row in labels if shard_of(row["image_id"], shards) == number]
        path = write_rows(out / f"labels-{name}.parquet", PSEUDO_LABELS, mine, shard=name)
        commands.append(
            [
                *(f"--image-folder={folder}", f"--images={out / 'images.parquet'}"),
                *(f"--pseudo-labels={path}", f"--model={folder / 'model.pt'}", f"--shard={name}"),
                *(f"--out={out / name}.parquet", f"--out-scores={out / name}-scores.parquet"),
                *("--device=cpu", f"--train-settings={json.dumps(TRAIN)}"),
            ]
        )
    return commands


@pytest.fixture(scope="module")
def whole(trained: Path) -> Path:
    (command,) = write_tables(trained, 1, trained / "one")
    predict.main(command)
    return trained / "one" / "0000-of-0001.parquet"


def test_it_finds_what_it_has_learned(whole: Path, trained: Path) -> None:
    rows = read_table(whole, PREDICTIONS)
    assert read_header(whole)["shard"] == "0000-of-0001"
    truth = json.loads((trained / "labels.json").read_text())["annotations"]
    hits = 0
    for one in truth:
        x, y, w, h = one["bbox"]
        mine = [
            row
            for row in rows.to_pylist()
            if (row["image_id"], row["category_id"]) == (one["image_id"], one["category_id"])
        ]
        boxes = np.array([row["box"] for row in mine]).reshape(-1, 4)
        hits += bool((box_iou(boxes, np.array([[x, y, x + w, y + h]])) > 0.5).any())
    assert hits >= len(truth) * 0.7
    for image_id in {row["image_id"] for row in rows.to_pylist()}:
        scores = [row["score"] for row in rows.to_pylist() if row["image_id"] == image_id]
        assert scores == sorted(scores, reverse=True)
        assert min(scores) >= 0.05


def test_it_tells_the_class_in_each_labels_box(whole: Path, trained: Path) -> None:
    scores = read_table(whole.with_name("0000-of-0001-scores.parquet"), LABEL_SCORES)
    truth = json.loads((trained / "labels.json").read_text())["annotations"]
    assert scores.column("instance_id").to_pylist() == [one["id"] for one in truth]
    assert np.mean(scores.column("score").to_numpy()) > 0.5
    detector = engine.opened_detector(Train(**TRAIN), trained / "model.pt", torch.device("cpu"))
    pixels = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    pixels[10:40, 8:36, 1] = 220
    box = np.array([[8, 10, 36, 40], [50, 50, 62, 62]], dtype=np.float32)
    sure = detector.probabilities(pixels, box)
    assert sure.shape == (2, 3)
    assert sure[0].argmax() == list(detector.category_ids).index(8)  # green
    assert sure[1].max() < sure[0].max()


def test_shards_together_say_what_one_says(whole: Path, trained: Path) -> None:
    rows: list[Any] = []
    for command, name in zip(
        write_tables(trained, 3, trained / "three"), shard_names(3), strict=True
    ):
        predict.main(command)
        table = read_table(trained / "three" / f"{name}.parquet", PREDICTIONS)
        rows += table.to_pylist()
        assert boxes_of(table).shape == (len(table), 4)
    rows.sort(key=lambda row: (row["image_id"], row["prediction_id"]))
    assert rows == read_table(whole, PREDICTIONS).to_pylist()


def test_a_killed_shard_goes_on_and_ends_with_the_same_bytes(
    whole: Path, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = write_tables(trained, 1, trained / "killed")
    command += ["--settings", json.dumps({"chunk": 2})]
    seen, least = predict.predictions_table, 3

    def dies(*args: Any, **more: Any) -> Any:
        if args[1]["image_id"] > least:
            raise KeyboardInterrupt
        return seen(*args, **more)

    monkeypatch.setattr(predict, "predictions_table", dies)
    with pytest.raises(KeyboardInterrupt):
        predict.main(command)
    assert not (trained / "killed" / "0000-of-0001.parquet").exists()
    monkeypatch.undo()
    predict.main(command)
    assert "resuming; finished work is kept" in capsys.readouterr().err
    found = read_table(trained / "killed" / "0000-of-0001.parquet", PREDICTIONS)
    assert found.to_pylist() == read_table(whole, PREDICTIONS).to_pylist()


def test_an_empty_shard_opens_no_detector(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "_opened", lambda *_: pytest.fail("opened"))
    commands = write_tables(trained, 40, tmp_path)
    used = {shard_of(image, 40) for image in range(1, 6)}
    number = next(n for n in range(40) if n not in used)
    predict.main(commands[number])
    name = shard_names(40)[number]
    assert len(read_table(tmp_path / f"{name}.parquet", PREDICTIONS)) == 0


class Blind:
    """A detector that finds nothing, and is sure of all labels as far as its half says."""

    category_ids = (3, 8, 9)

    def __init__(self, half: int):
        self.half = half

    def results(self, image_id: int, pixels: Any) -> list[Any]:
        return []

    def probabilities(self, pixels: Any, boxes: Any) -> Any:
        return np.full((len(boxes), 3), self.half / 4, dtype=np.float32)


@pytest.mark.parametrize("shards", [1, 3])
def test_each_image_is_judged_by_the_detector_of_the_other_half(
    shards: int, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = load_model(trained / "model.pt")[0]
    halves = [tmp_path / f"{half}.pt" for half in (1, 2)]
    for half, path in enumerate(halves, start=1):
        header = json.dumps({"half": half, "seed": 4, "categories": []})
        path.write_bytes(to_bytes({"state": state, "header": header}))
    monkeypatch.setattr(predict, "_opened", lambda train, path, device: Blind(int(path.stem)))
    commands, seen = write_tables(trained, shards, tmp_path), dict[int, float]()
    for command, name in zip(commands, shard_names(shards), strict=True):
        predict.main([*command, "--model", *map(str, halves)])
        rows = read_table(tmp_path / f"{name}-scores.parquet", LABEL_SCORES).to_pylist()
        seen |= {row["image_id"]: row["score"] for row in rows}
        header = read_header(tmp_path / f"{name}.parquet")
        assert header[CROSSED] == [sha256_of(path) for path in halves]
        assert "model_sha256" not in header
    assert seen == {number: (3 - half_of(number, 4)) / 4 for number in (1, 2, 3, 4)}
    assert set(seen.values()) == {0.25, 0.5}


def test_one_detector_is_named_in_the_header(whole: Path, trained: Path) -> None:
    header = read_header(whole)
    assert header["model_sha256"] == sha256_of(trained / "model.pt")
    assert CROSSED not in header


def test_labels_of_another_shard_are_refused(trained: Path, tmp_path: Path) -> None:
    first, second = write_tables(trained, 2, tmp_path)
    mixed = [*first[:2], second[2], *first[3:]]
    with pytest.raises(ValueError, match=r"is not one of this shard's"):
        predict.main(mixed)


def test_a_class_that_the_detector_does_not_know_is_refused(trained: Path, tmp_path: Path) -> None:
    (command,) = write_tables(trained, 1, tmp_path)
    path = tmp_path / "labels-0000-of-0001.parquet"
    write_rows(path, PSEUDO_LABELS, [pseudo_label_row(1, 1, category_id=77)], shard="0000-of-0001")
    with pytest.raises(ValueError, match=r"class 77, which the detector did not learn"):
        predict.main(command)
