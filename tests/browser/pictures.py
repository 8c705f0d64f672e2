"""Pictures of a run's page, for the documentation: in a wide and a narrow window, and a card.

    python -m tests.browser.pictures results/demo/sapnet/report docs/page

writes docs/page_wide.png, docs/page_narrow.png and docs/page_card.png.
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser.chromium import opened_browser

WINDOWS = {"wide": (1280, 800), "narrow": (390, 800)}
CARD = 2  # how many steps behind the worst one
COLOURS = 256  # of a picture, so that it stays small


def main(report: str, out: str) -> None:
    """Open the page, and write the pictures."""
    address = (Path(report).absolute() / "index.html").as_uri()
    with opened_browser() as browser:
        for name, (width, height) in WINDOWS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            _write(page, f"{out}_{name}.png")
        width, height = WINDOWS["wide"]
        page.set_viewport_size({"width": width, "height": height})
        for _ in range(1 + CARD):
            page.locator("body").press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_selector("#inside .bag")
        _write(page, f"{out}_card.png")


def _write(page: Page, out: str) -> None:
    page.wait_for_load_state("networkidle")
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS).save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
