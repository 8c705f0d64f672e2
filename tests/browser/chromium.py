"""The browser that is installed: Chromium, or what BROWSER_PATH names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """The browser, without a window, closed behind."""
    path = os.environ.get("BROWSER_PATH") or shutil.which("chromium")
    assert path, "no chromium on PATH; install it, or name a browser in BROWSER_PATH"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()
