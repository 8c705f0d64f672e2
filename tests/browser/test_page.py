"""The page in a real browser, without a server: filtered, sorted, paged, stepped through, opened.

Needs Chromium (`apt-get install chromium`), or what BROWSER_PATH names, and fails without it.
"""

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from stages import report
from stages.geometry.masks import masks_to_rles
from stages.tables.categories import CATEGORIES
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from tests.browser.chromium import opened_browser
from tests.sound_rows import (
    Row,
    category_row,
    image_row,
    label_row,
    own_grades,
    proposal_row,
    pseudo_label_row,
    selection_row,
    trail_row,
    write_rows,
)

IMAGE_COUNT, PER_IMAGE, PER_PAGE = 26, 5, 60
LABELS = IMAGE_COUNT * PER_IMAGE
HOSTILE = '<img src=x onerror="document.title=1">'
CLASSES = {1: "cat", 2: HOSTILE}
WINDOWS = {"wide": (1400, 900), "narrow": (420, 800)}


def _mask(x1: int) -> Row:
    mask = np.zeros((1, 40, 60), dtype=np.uint8)
    mask[0, 2:22, 3:x1] = 1
    box = [3.0, 2.0, float(x1), 22.0]
    return {"rle": masks_to_rles(mask)[0]["counts"], "box": box, "height": 40, "width": 60}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of 130 labels in 26 photographs, one of four of a class with a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    photographs = folder / "images"
    photographs.mkdir()
    rows: dict[str, list[Row]] = {name: [] for name in ("images", "labels", "bags", "scores")}
    rows |= {"steps": [], "results": []}
    for image_id in range(1, IMAGE_COUNT + 1):
        name = f"street-{image_id:03d}.png"
        Image.new("RGB", (60, 40), (90, 120, image_id)).save(photographs / name)
        digest = hashlib.sha256((photographs / name).read_bytes()).hexdigest()
        rows["images"].append(
            image_row(image_id, file_name=name, height=40, width=60, digest=digest)
        )
        for number in range(image_id * 10, image_id * 10 + PER_IMAGE):
            category = 2 if number % 4 == 0 else 1
            own = {"category_id": category}
            quality = 1 - number / 1000
            rows["labels"].append(label_row(image_id, number, x=5.0, y=6.0, **own))
            rows["bags"] += [proposal_row(image_id, number, k, **_mask(9 + 16 * k)) for k in (0, 1)]
            rows["scores"] += [
                selection_row(image_id, number, k, selected=k == 1, **own) for k in (0, 1)
            ]
            rows["steps"].append(trail_row(image_id, number, 0, note=HOSTILE))
            rows["results"].append(
                pseudo_label_row(
                    image_id,
                    number,
                    **{"label_ids": [number], "proposal_id": 1, "mask_quality": quality},
                    **{**_mask(25), **own},
                )
            )
    records = {
        **{"images": IMAGES, "labels": WEAK_LABELS, "bags": PROPOSALS, "scores": SELECTIONS},
        **{"steps": TRAIL, "results": PSEUDO_LABELS, "grades": GRADES},
    }
    rows["grades"] = own_grades(rows["results"])
    for name, record in records.items():
        write_rows(folder / f"{name}.parquet", record, rows[name])
    classes = [category_row(key, name=name) for key, name in CLASSES.items()]
    write_rows(folder / "classes.parquet", CATEGORIES, classes)
    flags = {
        **{"images": "images", "weak-labels": "labels", "categories": "classes"},
        **{"proposals": "bags", "selections": "scores", "trails": "steps"},
        **{"pseudo-labels": "results", "grades": "grades"},
    }
    words = [f"--{flag}={folder / name}.parquet" for flag, name in flags.items()]
    facts = {
        "title": HOSTILE,
        "paper": None,
        "differing": [],
        "settings": json.dumps({"select": {"method": HOSTILE}}),
    }
    places = [f"--image-folder={photographs}", f"--out={folder / 'report'}"]
    report.main([*words, *places, f"--facts={json.dumps(facts)}"])
    return (folder / "report" / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as found:
        yield found


@pytest.fixture(params=WINDOWS.values(), ids=WINDOWS.keys())
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page, opened; whatever it says on the console, and what it fails to load, is a fault."""
    width, height = request.param
    opened = browser.new_page(viewport={"width": width, "height": height})
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda asked: faults.append(asked.url))
    opened.goto(address)
    opened.wait_for_selector(".card")
    yield opened
    opened.close()
    assert faults == []


def _qualities(page: Page) -> list[float]:
    texts = page.locator(".card .sub:nth-of-type(2)").all_inner_texts()
    return [float(text.split(",")[0].removeprefix("q ")) for text in texts]


def test_it_opens_worst_first_and_fits_its_window(page: Page) -> None:
    assert page.inner_text("#count") == f"{LABELS} of {LABELS} labels"
    assert page.locator(".card").count() == PER_PAGE
    shown = _qualities(page)
    assert shown == sorted(shown)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.title().startswith(HOSTILE)


def test_it_filters_by_class_and_searches_by_file(page: Page) -> None:
    page.select_option("#by-c", label=HOSTILE)
    names = page.locator(".card .name").all_inner_texts()
    assert names
    assert set(names) == {HOSTILE}
    page.select_option("#by-c", "")
    page.fill("#search", "STREET-007")
    assert page.inner_text("#count") == f"{PER_IMAGE} of {LABELS} labels"
    page.fill("#search", "nowhere")
    assert page.locator(".card").count() == 0


def test_it_sorts_and_pages(page: Page) -> None:
    page.select_option("#order", "image")
    assert page.locator(".card .sub:last-of-type").first.inner_text() == "street-001.png"
    page.locator("body").press("n")
    assert page.inner_text("#place") == "2 of 3"
    page.click("#on")
    assert page.locator(".card").count() == LABELS - 2 * PER_PAGE
    assert page.locator("#on").is_disabled()
    page.locator("body").press("p")
    assert page.inner_text("#place") == "2 of 3"


def test_a_card_opens_by_keyboard_with_its_trail_and_steps_on(page: Page) -> None:
    page.locator("body").press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#inside .bag")
    first = page.inner_text("#inside h3")
    assert "image 26, object 264" in first
    assert HOSTILE in page.inner_text("#inside ol")
    before = page.get_attribute("#inside path", "d")
    page.locator("#inside .bag tr[tabindex]").first.focus()
    assert page.get_attribute("#inside path", "d") != before
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#inside .bag")
    assert page.inner_text("#inside h3") != first
    page.keyboard.press("Escape")
    assert not page.locator("#card").is_visible()
    assert page.evaluate("document.activeElement.className") == "card"


def test_pictures_are_there_when_they_are_looked_at(page: Page) -> None:
    page.locator(".card").nth(PER_PAGE - 1).scroll_into_view_if_needed()
    sizes = page.evaluate(
        "Promise.all([...document.querySelectorAll('.card image')].map((node) => {"
        "const seen = new Image(); seen.src = new URL(node.href.baseVal, location);"
        "return seen.decode().then(() => seen.naturalWidth); }))"
    )
    assert len(sizes) == PER_PAGE
    assert min(sizes) > 0
