"""Salient sets: pairs by stem, masks of any form, and a sentence for what strangers get wrong."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.partworld.dataset import write_salient
from stages.photographs import reading
from stages.photographs.orientation import TAG
from stages.photographs.salient import is_single, salient_pairs, salient_sample

MASK = np.array([[0, 255, 255, 0], [0, 255, 0, 0], [0, 0, 0, 0]], np.uint8)  # (3, 4)


def _touched(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def _set(folder: Path, images: Sequence[str], masks: Sequence[str]) -> tuple[Path, Path]:
    return _touched(folder / "DUTS-TR-Image", *images), _touched(folder / "DUTS-TR-Mask", *masks)


def _list(folder: Path, text: str) -> Path:
    path = folder / "list.txt"
    path.write_text(text, "utf-8")
    return path


def _stems(pairs: Sequence[tuple[Path, Path]]) -> list[str]:
    assert all(image.parent != mask.parent for image, mask in pairs)
    return [image.stem for image, _ in pairs]


def test_images_and_masks_are_paired_and_sorted_by_stem(tmp_path: Path) -> None:
    images, masks = _set(tmp_path, ["n.b.jpg", "a.JPG", "c.jpeg"], ["c.png", "a.png", "n.b.png"])
    assert salient_pairs(images, masks, None) == [
        (images / "a.JPG", masks / "a.png"),
        (images / "c.jpeg", masks / "c.png"),
        (images / "n.b.jpg", masks / "n.b.png"),
    ]


def test_other_files_and_folders_are_no_part_of_a_set(tmp_path: Path) -> None:
    strangers = ["Thumbs.db", ".DS_Store", "._a.jpg", ".snakemake_timestamp", "readme.txt"]
    images, masks = _set(tmp_path, ["a.jpg", *strangers], ["a.png", *strangers])
    _touched(images / "b.jpg", "c.jpg")  # a folder
    assert _stems(salient_pairs(images, masks, None)) == ["a"]


def test_accents_are_the_same_however_composed(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "pferd-ä") for form in ("NFC", "NFD"))
    images, masks = _set(tmp_path, [f"{composed}.jpg"], [f"{decomposed}.png"])
    assert len(salient_pairs(images, masks, _list(tmp_path, decomposed))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "c\na\n",
        "\ufeffa.jpg\r\n\r\n# a choice\r\nc.JPG\r\na\r\n",
        "DUTS-TR-Image/a.jpg\n../c.png",
        "D:\\duts\\a.jpg\nc",
    ],
)
def test_a_list_chooses_whatever_else_is_there(text: str, tmp_path: Path) -> None:
    images, masks = _set(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], ["a.png", "c.png", "d.png"])
    assert _stems(salient_pairs(images, masks, _list(tmp_path, text))) == ["a", "c"]


@pytest.mark.parametrize(
    ("images", "masks", "said"),
    [
        ([], [], r"no images in .*DUTS-TR-Image itself \(\.jpg"),
        (["a.jpg"], [], r"no images in .*DUTS-TR-Mask itself"),
        (["a.jpg"], ["readme.txt"], r"no images in .*DUTS-TR-Mask itself"),
        (["a.jpg", "b.jpg"], ["a.png"], r"'b' without mask in .*DUTS-TR-Mask\. "),
        (["b.jpg"], ["a.png", "b.png"], r"'a' without image in .*DUTS-TR-Image\. "),
        (["a.jpg"], ["a.png", *(f"{k}.png" for k in range(9))], r"'0', '1', '2' and 6 more with"),
        (["a.jpg", "a.png"], ["a.png"], r"a\.jpg and 'a\.png' have the same stem.*of their own"),
    ],
)
def test_what_has_no_partner_is_named(
    images: list[str], masks: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        salient_pairs(*_set(tmp_path, images, masks), None)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_and_one_above_are_named(tmp_path: Path) -> None:
    images, masks = _set(tmp_path, ["a.jpg"], ["a.png"])
    with pytest.raises(ValueError, match=r"there is no folder .*elsewhere\. Correct the path"):
        salient_pairs(tmp_path / "elsewhere", masks, None)
    with pytest.raises(ValueError, match=r"there is no folder .*a\.jpg"):
        salient_pairs(images / "a.jpg", masks, None)
    with pytest.raises(ValueError, match="Name one of its folders: 'DUTS-TR-Image', 'DUTS-TR-Ma"):
        salient_pairs(tmp_path, masks, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it names no image"),
        (b"# nothing\n\n", "it names no image"),
        (b"a\nz\n", r"list\.txt: 'z' not in .*DUTS-TR-Image"),
        (b"b\n", r"'b' without mask"),
        (b"\xff\xfe\x00a", r"cannot be read \(.*utf-8.* Give a text file"),
    ],
)
def test_a_list_that_fits_nothing_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    images, masks = _set(tmp_path, ["a.jpg", "b.jpg"], ["a.png"])
    (tmp_path / "list.txt").write_bytes(data)
    with pytest.raises(ValueError, match=said):
        salient_pairs(images, masks, tmp_path / "list.txt")


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    images, masks = _set(tmp_path, ["a.jpg"], ["a.png"])
    with pytest.raises(ValueError, match=r"gone\.txt: cannot be read"):
        salient_pairs(images, masks, tmp_path / "gone.txt")


def _image(folder: Path, size: tuple[int, int] = (4, 3), **options: object) -> Path:
    path = folder / "image.png"
    Image.new("RGB", size, (9, 99, 199)).save(path, **options)
    return path


def _palette(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.fromarray((MASK > 0).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, *colour])
    return image


def _coloured(*colour: int) -> Image.Image:
    return Image.fromarray((MASK[..., None] > 0) * np.array(colour, np.uint8))


def _transparent() -> Image.Image:
    return Image.merge("RGBA", [Image.new("L", (4, 3), 255)] * 3 + [Image.fromarray(MASK)])


MASKS = {
    "gray": (Image.fromarray(MASK), "m.png"),
    "at the edge of half": (Image.fromarray(np.where(MASK > 0, 128, 127).astype("u1")), "m.png"),
    "bits": (Image.fromarray(MASK > 0), "m.png"),
    "rgb": (Image.fromarray(MASK).convert("RGB"), "m.bmp"),
    "red": (_coloured(255, 0, 0), "m.png"),
    "palette": (_palette((255, 255, 255)), "m.png"),
    "palette of VOC": (_palette((128, 0, 0)), "m.png"),
    "gif": (Image.fromarray(MASK).convert("P"), "m.gif"),
    "opaque": (_coloured(255, 255, 255, 255), "m.png"),
    "transparent": (_transparent(), "m.png"),
    "gray and transparent": (_transparent().convert("LA"), "m.png"),
    "16 bits": (Image.fromarray(MASK.astype(np.uint16) * 257), "m.png"),
    "floats": (Image.fromarray((MASK > 0).astype(np.float32)), "m.tif"),
}


@pytest.mark.parametrize(("mask", "name"), MASKS.values(), ids=MASKS)
def test_a_mask_of_any_form_is_where_it_is_bright(
    mask: Image.Image, name: str, tmp_path: Path
) -> None:
    mask.save(tmp_path / name)
    pixels, found = salient_sample(_image(tmp_path), tmp_path / name)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (3, 4, 3)
    np.testing.assert_array_equal(pixels[1, 1], (9, 99, 199))
    assert found.dtype == bool
    np.testing.assert_array_equal(found, MASK > 0)


def test_a_jpeg_of_a_mask_is_cut_at_half(tmp_path: Path) -> None:
    large = np.kron(MASK, np.ones((16, 16), np.uint8))
    Image.fromarray(large).save(tmp_path / "m.jpg", quality=60)
    _, found = salient_sample(_image(tmp_path, (64, 48)), tmp_path / "m.jpg")
    assert (found == (large > 0)).mean() > 0.99


@pytest.mark.parametrize(
    ("values", "largest"), [(MASK * 0, 0), ((MASK > 0).astype(np.uint8), 1), (MASK // 2, 127)]
)
def test_a_mask_that_is_bright_nowhere_is_refused(
    values: np.ndarray, largest: int, tmp_path: Path
) -> None:
    Image.fromarray(values).save(tmp_path / "m.png")
    with pytest.raises(ValueError, match=rf"m\.png: .* is {largest} of 255\. Write 255 where"):
        salient_sample(_image(tmp_path), tmp_path / "m.png")


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.fromarray(MASK).save(tmp_path / "m.png")
    with pytest.raises(ValueError, match=r"m\.png: 4 x 3 px, but its image .* has 5 x 3 px"):
        salient_sample(_image(tmp_path, (5, 3)), tmp_path / "m.png")


def test_an_image_is_turned_as_its_mask_was_drawn(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[TAG] = 6  # a quarter turn
    image = _image(tmp_path, (4, 3), exif=exif)
    for name, mask in (("stored.png", MASK), ("turned.png", np.ascontiguousarray(MASK.T))):
        Image.fromarray(mask).save(tmp_path / name)
        pixels, found = salient_sample(image, tmp_path / name)
        assert pixels.shape[:2] == found.shape == mask.shape


@pytest.mark.parametrize("broken", ["image", "mask"])
@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n", None])
def test_a_broken_file_is_named(broken: str, data: bytes | None, tmp_path: Path) -> None:
    paths = {"image": _image(tmp_path), "mask": tmp_path / "m.png"}
    Image.fromarray(MASK).save(paths["mask"])
    if data is None:
        paths[broken].unlink()
    else:
        paths[broken].write_bytes(data)
    said = "this file is missing" if data is None else "cannot be decoded"
    with pytest.raises(ValueError, match=rf"{paths[broken].name}: {said}") as caught:
        salient_sample(paths["image"], paths["mask"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("huge", ["image", "mask"])
def test_a_huge_file_is_refused_before_it_fills_the_memory(
    huge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {"image": _image(tmp_path), "mask": tmp_path / "m.png"}
    Image.fromarray(MASK).save(paths["mask"])
    Image.new("L", (40, 30), 255).save(paths[huge])
    if huge == "image":
        Image.new("L", (40, 30), 255).save(paths["mask"])
    monkeypatch.setattr(reading, "MAX_PIXELS", 1000)
    with pytest.raises(ValueError, match="40 x 30 px is too large"):
        salient_sample(paths["image"], paths["mask"])


def _parts(*areas: int) -> np.ndarray:
    """Bars of these areas, apart."""
    mask = np.zeros((2 * len(areas), max(areas, default=1)), bool)
    for row, area in enumerate(areas):
        mask[2 * row, :area] = True
    return mask


def _slow_single(mask: np.ndarray, share: float) -> bool:
    """The same by flooding from every pixel of the foreground."""
    todo, sizes = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    total = len(todo)
    while todo:
        front, size = [todo.pop()], 0
        while front:
            y, x = front.pop()
            size += 1
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & todo
            todo -= near
            front += near
        sizes.append(size)
    return total > 0 and max(sizes) >= share * total


@pytest.mark.parametrize(
    ("areas", "share", "single"),
    [
        ((), 0.95, False),
        ((), 0.0, False),
        ((7,), 0.95, True),
        ((95, 5), 0.95, True),
        ((94, 6), 0.95, False),
        ((50, 50), 0.5, True),
        ((50, 50), 0.51, False),
        ((10, 10, 10), 0.0, True),
        ((99, 1), 1.0, False),
    ],
)
def test_the_largest_part_decides(areas: tuple[int, ...], share: float, single: bool) -> None:
    assert is_single(_parts(*areas), share) is single


def test_parts_are_those_of_a_slow_flood() -> None:
    rng = np.random.default_rng(0)
    for density in (0.2, 0.35, 0.5, 0.9):
        mask = rng.random((20, 20)) < density
        for share in (0.3, 0.6, 0.95):
            assert is_single(mask, share) == _slow_single(mask, share)


def test_the_demos_own_set_is_read(tmp_path: Path) -> None:
    write_salient(tmp_path, images=3, seed=0)
    pairs = salient_pairs(tmp_path / "images", tmp_path / "masks", None)
    assert _stems(pairs) == ["000001", "000002", "000003"]
    for image, mask in pairs:
        pixels, found = salient_sample(image, mask)
        assert pixels.shape == (256, 256, 3)
        assert is_single(found)
