import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from stages.partworld import dataset
from stages.partworld.scenes import render_scene


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("train")
    arguments = ["--out", str(out), "--split", "train", "--images", "8", "--seed", "5"]
    assert dataset.main(arguments) == 0
    return out


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_pycocotools_opens_the_file_and_decodes_the_exact_masks(train: Path) -> None:
    coco = COCO(train / "annotations.json")
    assert coco.getImgIds() == list(range(1, 9))
    for image_id in coco.getImgIds():
        scene = render_scene(5, "train", image_id - 1)
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image_id]))
        assert len(found) == len(scene.instances)
        for got, instance in zip(found, scene.instances, strict=True):
            mask = coco.annToMask(got).astype(bool)
            np.testing.assert_array_equal(mask, scene.mask(instance))
            rows, columns = np.nonzero(mask)
            x, y, width, height = got["bbox"]
            assert (x, y) == (columns.min(), rows.min())
            assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)
            assert got["area"] == mask.sum()
            assert got["iscrowd"] == instance.is_crowd


def test_annotations_carry_what_coco_and_the_world_promise(train: Path) -> None:
    content = json.loads((train / "annotations.json").read_text())
    assert [item["id"] for item in content["categories"]] == list(range(1, 11))
    assert [item["id"] for item in content["annotations"]] == list(
        range(1, len(content["annotations"]) + 1)
    )
    for item in content["annotations"]:
        assert isinstance(item["segmentation"]["counts"], str)
        assert isinstance(item["cluster"], int)
        assert item["difficulty"] in {"single", "part", "group", "occluded"}


def test_images_on_disk_are_the_scenes(train: Path) -> None:
    image = cv2.imread(str(train / "images" / "000003.png"))
    np.testing.assert_array_equal(image[..., ::-1], render_scene(5, "train", 2).image)


def test_equal_arguments_give_equal_bytes(train: Path, tmp_path: Path) -> None:
    dataset.write_dataset(tmp_path, split="train", images=8, seed=5)
    assert _bytes(tmp_path) == _bytes(train)


def test_more_images_do_not_change_the_first_ones(train: Path, tmp_path: Path) -> None:
    dataset.write_dataset(tmp_path, split="train", images=3, seed=5)
    few, many = _bytes(tmp_path / "images"), _bytes(train / "images")
    assert few == {name: many[name] for name in few}


def test_train_and_val_share_no_image(train: Path, tmp_path: Path) -> None:
    dataset.write_dataset(tmp_path, split="val", images=8, seed=5)
    ours, theirs = _bytes(train / "images"), _bytes(tmp_path / "images")
    assert not set(ours.values()) & set(theirs.values())


def test_annotations_exist_only_once_all_images_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset.write_dataset(tmp_path, split="train", images=1, seed=5)

    def killed(path: Path, image: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "write_png", killed)
    with pytest.raises(KeyboardInterrupt):
        dataset.write_dataset(tmp_path, split="train", images=2, seed=5)
    assert not (tmp_path / "annotations.json").exists()


@pytest.mark.parametrize(("images", "seed"), [("0", "0"), ("1", "-1")])
def test_impossible_arguments_are_refused_in_a_sentence(
    images: str, seed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path), "--split", "val", "--images", images, "--seed", seed]
    assert dataset.main(arguments) == 2
    assert "Give at least" in capsys.readouterr().err
    assert not (tmp_path / "annotations.json").exists()


def test_help_explains_splits_and_difficulties(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dataset.main(["--help"])
    text = capsys.readouterr().out
    for word in ("--split", "occluded", "annotations.json", "iscrowd"):
        assert word in text


def _salient(out: Path, *more: str) -> int:
    arguments = ["--out", str(out), "--split", "salient", "--images", "4", "--seed", "5"]
    return dataset.main([*arguments, *more])


@pytest.mark.parametrize("look", ["plain", "hard"])
def test_a_salient_set_is_images_and_masks_of_the_same_names(look: str, tmp_path: Path) -> None:
    assert _salient(tmp_path, "--look", look) == 0
    names = [f"{number:06d}.png" for number in range(1, 5)]
    assert sorted(_bytes(tmp_path)) == [
        f"{kind}/{n}" for kind in ("images", "masks") for n in names
    ]
    for index, name in enumerate(names):
        scene = render_scene(5, "salient", index, look=look)
        image = cv2.imread(str(tmp_path / "images" / name))
        np.testing.assert_array_equal(image[..., ::-1], scene.image)
        mask = cv2.imread(str(tmp_path / "masks" / name), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(mask, np.where(scene.leaf > 0, 255, 0))


def test_a_salient_set_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _salient(tmp_path) == 0
    before = _bytes(tmp_path)
    assert _salient(tmp_path) == 2
    assert "images holds files already. Give an empty folder." in capsys.readouterr().err
    assert _bytes(tmp_path) == before


def test_a_hard_split_says_so_and_has_the_plain_ones_annotations(
    train: Path, tmp_path: Path
) -> None:
    dataset.write_dataset(tmp_path, split="train", images=8, seed=5, look="hard")
    plain, hard = (json.loads((p / "annotations.json").read_text()) for p in (train, tmp_path))
    assert hard.pop("info") == plain.pop("info") | {"look": "hard"}
    assert hard == plain
    ours, theirs = _bytes(train / "images"), _bytes(tmp_path / "images")
    assert ours.keys() == theirs.keys()
    assert not set(ours.values()) & set(theirs.values())
