"""Photographs at the door: what `prepare` alone does not show of them."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stages.photographs.admitting import Admission
from stages.settings.prepare import Prepare

SIZE = (12, 16)  # height, width as stored


def photograph(folder: Path, name: str, *, exif: int = 1, colour: int = 9) -> None:
    image = Image.new("RGB", SIZE[::-1], (colour, 0, 0))
    block = image.getexif()
    block[0x0112] = exif
    image.save(folder / name, exif=block)


def entry(number: int, name: str, size: tuple[int | None, int | None] = SIZE) -> dict[str, Any]:
    return {"id": number, "file_name": name, "height": size[0], "width": size[1]}


def admission(folder: Path, *, is_raw: bool = True, **settings: Any) -> Admission:
    return Admission(folder, Prepare(**settings), is_raw=is_raw)


def test_no_images_are_none(tmp_path: Path) -> None:
    door = admission(tmp_path)
    assert door.measured([]) == door.verified([]) == []
    assert (door.skipped, door.sentences(), len(door.faults)) == ([], {}, 0)


def test_faults_of_each_kind_are_told_together_and_the_others_measured(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        photograph(tmp_path, name)
    door = admission(tmp_path)
    images = [
        entry(1, "a.png"),
        entry(2, "../secret.png"),
        entry(3, "none.png"),
        entry(4, "b.png", (12, 17)),
        entry(5, ""),
    ]
    measured = door.measured(images)
    assert [image["id"] for image in measured] == [1, 4]
    with pytest.raises(ValueError, match="in all") as caught:
        door.faults.check()
    said = str(caught.value)
    for part in (
        "image name '../secret.png' leads outside the image folder",
        "image name '' leads outside the image folder",
        "none.png: this file is missing",
        "b.png: 16 x 12 px, but the annotation file says 17 x 12 px",
        "2 names that lead outside, 1 photographs that cannot be read, 1 photographs of another",
    ):
        assert part in said


def test_a_name_that_leads_outside_is_never_skipped(tmp_path: Path) -> None:
    door = admission(tmp_path, undecodable="skip")
    assert door.measured([entry(1, "../secret.png"), entry(2, "none.png")]) == []
    assert [name for name, _ in door.skipped] == ["none.png"]
    assert len(door.faults) == 1


@pytest.mark.parametrize(
    ("is_raw", "exif", "size", "turn"),
    [
        (True, 6, (None, None), 1),  # COCO and VOC are of the stored grid
        (False, 6, (None, None), 6),  # people saw the turned photograph
        (False, 6, (12, 16), 1),  # the size tells
        (True, 6, (16, 12), 6),
        (False, 3, (12, 16), 3),  # no size can tell
        (True, 3, (12, 16), 1),
        (False, 1, (None, None), 1),
    ],
)
def test_where_no_size_tells_the_format_says_which_way_up(
    is_raw: bool, exif: int, size: tuple[int | None, int | None], turn: int, tmp_path: Path
) -> None:
    photograph(tmp_path, "a.jpg", exif=exif)
    (image,) = admission(tmp_path, is_raw=is_raw).measured([entry(1, "a.jpg", size)])
    height, width = SIZE if turn in (1, 3) else SIZE[::-1]
    assert (image["orientation"], image["height"], image["width"]) == (turn, height, width)


def test_photographs_that_tell_decide_for_those_that_do_not(tmp_path: Path) -> None:
    for name, exif in (("a.jpg", 6), ("b.jpg", 3), ("c.jpg", 8)):
        photograph(tmp_path, name, exif=exif)
    door = admission(tmp_path)
    images = [entry(1, "a.jpg", SIZE[::-1]), entry(2, "b.jpg"), entry(3, "c.jpg", (None, None))]
    assert [image["orientation"] for image in door.measured(images)] == [6, 3, 8]
    assert door.sentences() == {
        "photographs whose size the labels do not say": 1,
        "photographs turned as their EXIF orientation says": 2,
        "photographs with an EXIF half turn or mirror, which no size can tell, turned": 1,
    }


@pytest.mark.parametrize("verify", ["decode", "header"])
def test_a_photograph_that_changes_meanwhile_is_refused(verify: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        photograph(tmp_path, name)
    door = admission(tmp_path, verify=verify)
    measured = door.measured([entry(1, "a.png"), entry(2, "b.png")])
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    (tmp_path / "b.png").unlink()
    with pytest.raises(ValueError, match=r"a\.png: it changed while prepare read it") as caught:
        door.verified(measured)
    assert "b.png: this file is missing" in str(caught.value)


def test_a_photograph_cut_off_is_found_by_decoding_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((64, 64), 90).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-300])
    image = entry(1, "a.png", (64, 64))
    door = admission(tmp_path, verify="header")
    (found,) = door.verified(door.measured([image]))
    assert len(found["digest"]) == 64
    assert "header" not in found
    for undecodable in ("fail", "skip"):
        door = admission(tmp_path, undecodable=undecodable)
        measured = door.measured([image])
        if undecodable == "skip":
            assert door.verified(measured) == []
            assert door.skipped[0][0] == "a.png"
        else:
            with pytest.raises(ValueError, match=r"a\.png: cannot be decoded"):
                door.verified(measured)


def test_two_spellings_of_one_photograph_are_refused(tmp_path: Path) -> None:
    photograph(tmp_path, "a b.png")
    for names, is_sound in (
        (["a%20b.png"], True),
        (["a b.png", "a b.png"], True),  # as the file of labels has them
        (["a b.png", "a%20b.png"], False),
        (["A b.png", "a b.png"], False),
    ):
        door = admission(tmp_path)
        door.measured([entry(number, name) for number, name in enumerate(names)])
        lines = door.faults.lines()
        assert (
            not lines if is_sound else f"the labels call it {names[0]} and {names[1]}" in lines[0]
        )
