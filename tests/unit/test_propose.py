"""propose: shards of proposals, resumed where they were cut, asked once, refused where wrong."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stages import propose
from stages.geometry.masks import rle_areas, rle_boxes, rle_of
from stages.segmenters import sam
from stages.segmenters.sam import SamSegmenter
from stages.segmenters.tiny import build_vit_tiny
from stages.tables.headers import read_header
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.table import boxes_of, read_table, rows_table, write_table
from stages.tables.weak_labels import WEAK_LABELS

SIZE = {"height": 32, "width": 40, "orientation": 1}
WHERE = {
    "point": {"x": 20.0, "y": 20.0},
    "box": {"box": [5.0, 5.0, 30.0, 25.0]},
    "mask": {"box": [5.0, 5.0, 30.0, 25.0], "rle": b"8"},
    "tag": {},
}


def label(image_id: int, number: int, kind: str = "point", **more: Any) -> dict[str, Any]:
    """A weak label; its object has the label's own number."""
    bag_id = -1 if kind == "tag" else number
    ids = {"image_id": image_id, "label_id": number, "bag_id": bag_id}
    ids |= {"instance_id": None if kind == "tag" else number}
    return {**ids, "kind": kind, "category_id": 1, "status": "given", **WHERE[kind], **more}


LABELS = (
    label(0, 5, x=3.0, y=3.0),
    label(0, 6, "box"),
    label(1, 2, x=39.9, y=31.9),
    label(3, 9),
)


class Place:
    """A folder with four photographs, a tiny SAM and a run; images 0 and 2 are of shard 0."""

    def __init__(self, folder: Path):
        self.folder, self.run = folder, folder / "results"
        torch.manual_seed(1)
        torch.save(build_vit_tiny().state_dict(), folder / "tiny.pth")
        rng = np.random.default_rng(0)
        for number in range(5):
            pixels = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
        self.photographs([f"{number}.png" for number in range(4)])
        self.labels(*LABELS)

    def photographs(self, names: list[str], shards: int = 2) -> None:
        """Write table `images`: these files are images 0, 1, 2, ..."""
        rows = [
            {"image_id": number, "file_name": name, "shard": number % shards, **SIZE}
            for number, name in enumerate(names)
        ]
        for row in rows:
            row["digest"] = hashlib.sha256(
                (self.folder / row["file_name"]).read_bytes()
            ).hexdigest()
        write_table(self.folder / "images.parquet", rows_table(IMAGES, rows), IMAGES, {})

    def labels(self, *rows: dict[str, Any]) -> None:
        """Write table `weak_labels`."""
        table = rows_table(WEAK_LABELS, sorted(rows, key=lambda r: (r["image_id"], r["label_id"])))
        write_table(self.folder / "labels.parquet", table, WEAK_LABELS, {})

    def out(self, shard: str = "0000-of-0002") -> Path:
        """The output of a shard."""
        return self.run / "propose" / f"shard-{shard}.parquet"

    def propose(
        self,
        shard: str = "0000-of-0002",
        *,
        out: Path | None = None,
        seed: int = 0,
        at_once: int = 1,
        **values: Any,
    ) -> list[dict[str, Any]]:
        """Run the program; rows of its table. `values` : of section `propose`, `sam` merged."""
        settings = {"chunk": 1, **values}
        settings["sam"] = {"checkpoint": str(self.folder / "tiny.pth"), **values.get("sam", {})}
        out = out or self.out(shard)
        paths = {"image-folder": self.folder, "images": self.folder / "images.parquet", "out": out}
        paths |= {"weak-labels": self.folder / "labels.parquet", "answers": self.run / "answers"}
        words = [word for flag, path in paths.items() for word in (f"--{flag}", str(path))]
        words += [
            "--shard",
            shard,
            "--seed",
            str(seed),
            "--device",
            "cpu",
            "--at-once",
            str(at_once),
        ]
        propose.main([*words, "--settings", json.dumps(settings)])
        rows: list[dict[str, Any]] = read_table(out, PROPOSALS).to_pylist()
        return rows


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def embeds(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every image that the segmenter embeds, in order."""
    seen: list[bytes] = []
    stock = SamSegmenter.embed

    def counted(self: SamSegmenter, pixels: np.ndarray) -> None:
        seen.append(pixels.tobytes())
        stock(self, pixels)

    monkeypatch.setattr(SamSegmenter, "embed", counted)
    return seen


def pixels_of(path: Path) -> bytes:
    return np.asarray(Image.open(path)).tobytes()


def test_propose_writes_consistent_bags(place: Place) -> None:
    rows = place.propose()
    assert {row["image_id"] for row in rows} == {0}  # image 2 has no labels
    assert {row["bag_id"] for row in rows} == {5, 6}
    table = read_table(place.out(), PROPOSALS)
    for row, box in zip(rows, boxes_of(table), strict=True):
        rle = rle_of(row["rle"], 32, 40)
        assert row["area"] == rle_areas([rle])[0]
        assert row["valid"] == (row["area"] > 0)
        if row["valid"]:
            assert box.tolist() == rle_boxes([rle])[0].tolist()
        assert 0 <= box[0] < box[2] <= 40
        assert 0 <= box[1] < box[3] <= 32
    for bag in (5, 6):
        ids = [row["proposal_id"] for row in rows if row["bag_id"] == bag]
        assert ids == list(range(len(ids)))


def test_propose_gives_equal_bytes_again_and_hides_no_path(place: Place) -> None:
    place.propose()
    first = place.out().read_bytes()
    place.out().unlink()
    place.propose()  # from the answers
    assert place.out().read_bytes() == first
    shutil.rmtree(place.run)
    place.propose()  # without
    assert place.out().read_bytes() == first
    header = read_header(place.out())
    assert str(place.folder) not in json.dumps(header)
    assert (
        header["model_sha256"]
        == hashlib.sha256((place.folder / "tiny.pth").read_bytes()).hexdigest()
    )
    assert header["shard"] == "0000-of-0002"
    assert "checkpoint" not in header["settings"]["sam"]
    assert header["prompt_settings"] == {"sources": [{"source": "labels", "together": False}]}


def test_images_that_are_asked_about_at_once_get_the_same_masks(
    place: Place, embeds: list[bytes]
) -> None:
    names = [f"{number}.png" for number in range(4)]
    place.photographs(names, shards=1)
    place.labels(*(label(image, image + 5, x=4.0 + image, y=9.0) for image in range(4)))
    shard = "0000-of-0001"
    place.propose(shard, chunk=4)
    alone = place.out(shard).read_bytes()
    shutil.rmtree(place.run)
    place.propose(shard, chunk=4, at_once=3)
    assert place.out(shard).read_bytes() == alone
    assert sorted(embeds) == sorted(2 * [pixels_of(place.folder / name) for name in names])


def test_a_mixed_image_gives_each_object_its_bag(place: Place) -> None:
    both = label(0, 8, x=3.0, y=4.0), label(0, 9, "mask", bag_id=8, instance_id=8)
    place.labels(*LABELS, label(0, 7, "mask"), *both)
    rows = place.propose()
    kinds: dict[int, set[str]] = {}
    for row in rows:
        kinds.setdefault(row["bag_id"], set()).add(row["prompt_kind"])
    assert kinds[6] == {"box"}
    assert kinds[5] >= {"point", "inner_points"}
    assert kinds[8] >= {"point"}  # a correction leaves the bag of its point
    assert set(kinds) == {5, 6, 8}  # the given mask asks for nothing
    assert len([row for row in rows if row["bag_id"] == 6]) == 3


def test_deleted_labels_have_no_bag_and_are_counted(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = [label(0, number, status="deleted") for number in (7, 8)]
    place.labels(*LABELS, *gone, label(0, 9, "tag", status="deleted"))
    assert {row["bag_id"] for row in place.propose()} == {5, 6}
    assert "3 deleted labels left out" in capsys.readouterr().err


def test_tags_are_refused_by_name_before_a_model_is_loaded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam, "load_sam", lambda *_: pytest.fail("was loaded"))
    place.labels(*LABELS, label(3, 41, "tag", category_id=17))
    with pytest.raises(ValueError, match="image 3, label 41: a tag of class 17") as caught:
        place.propose()  # although image 3 is of the other shard
    assert "Give each object a point, a box or a mask" in str(caught.value)


@pytest.mark.parametrize("labels", [(), (label(0, 5, "mask"),)], ids=["none", "masks alone"])
def test_a_shard_without_prompts_has_a_header_and_loads_no_model(
    labels: tuple[dict[str, Any], ...], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam, "load_sam", lambda *_: pytest.fail("was loaded"))
    place.labels(*labels)
    assert place.propose() == []
    assert place.propose("0005-of-0006") == []  # without images
    assert read_header(place.out("0005-of-0006"))["model_sha256"]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_an_image_is_embedded_once_whatever_the_shards(
    place: Place, embeds: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    before = place.propose("0000-of-0002") + place.propose("0001-of-0002")
    assert len(embeds) == 3
    place.photographs([f"{number}.png" for number in range(4)], shards=1)
    assert place.propose("0000-of-0001") == sorted(before, key=lambda row: row["image_id"])
    assert len(embeds) == 3
    assert "embedded 0 images, 3 answered before" in said(capsys)


@pytest.mark.parametrize(
    "more",
    [label(3, 10), label(3, 10, "box"), label(2, 10)],
    ids=["one more click", "one more box", "an image that had none"],
)
def test_one_more_label_embeds_one_image(
    more: dict[str, Any], place: Place, embeds: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    place.photographs([f"{number}.png" for number in range(4)], shards=1)
    place.propose("0000-of-0001")
    embeds.clear()
    place.labels(*LABELS, more)
    rows = place.propose("0000-of-0001")
    assert embeds == [pixels_of(place.folder / f"{more['image_id']}.png")]
    assert "embedded 1 images, " in said(capsys)
    assert (more["image_id"], 10) in {(row["image_id"], row["bag_id"]) for row in rows}


def test_one_more_photograph_embeds_one_image(place: Place, embeds: list[bytes]) -> None:
    place.propose("0000-of-0002")
    embeds.clear()
    place.photographs([f"{number}.png" for number in range(5)])
    place.labels(*LABELS, label(4, 11))
    place.propose("0000-of-0002")
    assert embeds == [pixels_of(place.folder / "4.png")]


@pytest.mark.parametrize(
    "labels",
    [
        (*LABELS[:3], label(3, 9, category_id=7)),
        (*LABELS[:3], label(3, 9, status="accepted")),
        (*LABELS, label(3, 10, "mask", bag_id=9, instance_id=9, status="corrected")),
        (*LABELS, label(3, 10, status="deleted")),
    ],
    ids=["another class", "accepted", "corrected", "one more that is deleted"],
)
def test_what_is_no_question_asks_nothing(
    labels: tuple[dict[str, Any], ...], place: Place, embeds: list[bytes]
) -> None:
    before = place.propose("0001-of-0002")
    embeds.clear()
    place.labels(*labels)
    assert place.propose("0001-of-0002") == before
    assert embeds == []


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"chunk": 2}, 0),
        ({"clean": 0.5}, 2),
        ({"sam": {"stability_offset": 0.5}}, 2),
        ({"seed": 1}, 2),
        ({"mirror": True}, 4),
    ],
    ids=str,
)
def test_settings_ask_again_where_they_matter(
    change: dict[str, Any], asked: int, place: Place, embeds: list[bytes]
) -> None:
    place.propose("0001-of-0002")
    embeds.clear()
    place.propose("0001-of-0002", **change)
    assert len(embeds) == asked


def cut_after(monkeypatch: pytest.MonkeyPatch, images: int) -> list[int]:
    """The next run is killed when it has made `images` images; ids of all that are made."""
    made: list[int] = []
    stock = propose.ImageProposer.__call__

    def cut(self: propose.ImageProposer, image_id: int) -> Any:
        if len(made) == images:
            made.append(-1)
            raise KeyboardInterrupt
        made.append(image_id)
        return stock(self, image_id)

    monkeypatch.setattr(propose.ImageProposer, "__call__", cut)
    return made


def killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Shard 1 is killed after image 1; ids of what is made, -1 where it was killed."""
    made = cut_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        place.propose("0001-of-0002")
    assert not place.out("0001-of-0002").exists()
    assert made == [1, -1]
    return made


def test_propose_keeps_finished_parts_after_a_crash(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = killed(place, monkeypatch)
    place.labels(*LABELS, label(0, 77))  # one more click in the other shard
    place.propose("0001-of-0002")
    assert made == [1, -1, 3]
    cut = place.out("0001-of-0002").read_bytes()
    shutil.rmtree(place.run)
    place.propose("0001-of-0002")
    assert cut == place.out("0001-of-0002").read_bytes()
    assert not list(place.run.rglob("*.parts"))
    listed = place.run / "answers" / "lists" / "propose" / "shard-0001-of-0002.txt"
    assert len(listed.read_text().split()) == 2


def swap_names(place: Place) -> None:
    place.photographs(["0.png", "3.png", "2.png", "1.png"])


def replace_photograph(place: Place) -> None:
    shutil.copyfile(place.folder / "4.png", place.folder / "1.png")
    place.photographs([f"{number}.png" for number in range(4)])


def click_elsewhere(place: Place) -> None:
    place.labels(LABELS[0], LABELS[1], label(1, 2, x=4.0, y=4.0), LABELS[3])


@pytest.mark.parametrize("change", [swap_names, replace_photograph, click_elsewhere])
def test_a_killed_shard_ends_with_masks_of_the_right_photograph(
    change: Callable[[Place], None], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = killed(place, monkeypatch)
    change(place)
    place.propose("0001-of-0002")
    assert made == [1, -1, 1, 3]
    resumed = place.out("0001-of-0002").read_bytes()
    shutil.rmtree(place.run)
    place.propose("0001-of-0002")
    assert resumed == place.out("0001-of-0002").read_bytes()


@pytest.mark.parametrize("change", [{"file_name": "4.png"}, {"digest": "0" * 64}], ids=str)
def test_a_photograph_that_is_not_the_prepared_one_is_refused(
    change: dict[str, Any], place: Place
) -> None:
    rows = read_table(place.folder / "images.parquet", IMAGES).to_pylist()
    rows[1] |= change
    write_table(place.folder / "images.parquet", rows_table(IMAGES, rows), IMAGES, {})
    with pytest.raises(ValueError, match="was replaced after prepare had read it"):
        place.propose("0001-of-0002")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sam": {"sha256": "0" * 64}}, "its sha256 is"),
        ({"sam": {"checkpoint": "none.pth"}}, "weight file is missing"),
        ({"prompts": [{"source": "boxes"}]}, "must be label"),
        ({"prompts": []}, "propose.prompts"),
        ({"sam": {"model": "vit_x"}}, "propose.sam.model"),
        ({"sam": {"model": "vit_b"}}, "not the weights of vit_b"),
        ({"prompts": [{"source": "label", "scale": 0}]}, "propose.prompts"),
    ],
    ids=str,
)
def test_propose_refuses(place: Place, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        place.propose(**settings)


def test_propose_refuses_an_output_outside_the_run_of_its_answers(place: Place) -> None:
    with pytest.raises(ValueError, match="must lie beside it"):
        place.propose(out=place.folder / "shard-0000-of-0002.parquet")
