"""The files of a page: `index.html`, and beside it pictures and scripts that it loads when asked.

No server and no network: what is loaded later are scripts, which a browser takes from a folder too.
Names and sentences of strangers come as JSON and become text nodes, never HTML.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).parent
PICTURES, TRAILS = "pictures", "trails"
PER_FILE = 100  # trails of a script
LESS = "\\u003c"


def script(name: str, value: Any) -> str:
    """A script that hands `value` to the page under `name`.

    `<` is written as a code, so that no text can end the script or begin a comment.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return f"maskmill({json.dumps(name)},{text.replace('<', LESS)});\n"


def page_text(facts: Mapping[str, Any], fronts: Sequence[Mapping[str, Any]]) -> str:
    """The HTML of a page.

    Parameters
    ----------
    facts : what the template shows. fronts : of the cards, in the order of their trails.
    """
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = number
    parts = {name: (HERE / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    values = {"per_file": PER_FILE, "pictures": PICTURES, "trails": TRAILS, "cards": fronts}
    return environment.get_template("page.html").render(
        **facts, **parts, data=script("page", values)
    )


def number(value: float | None, digits: int = 3) -> str:
    """A number as text; a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def picture_path(index: int) -> str:
    """Where the picture of a card lies in the page's folder."""
    return f"{PICTURES}/{index // 1000:03d}/{index:06d}.jpg"


def trail_script(start: int, backs: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Name and text of the script with the trails from card `start` on."""
    name = f"{TRAILS}/{start // PER_FILE:05d}.js"
    return name, script(name, list(backs))
