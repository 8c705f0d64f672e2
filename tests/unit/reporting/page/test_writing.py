"""writing: strangers' text stays text."""

import json

from stages.reporting.page.writing import page_text, picture_path, script, trail_script

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028"
FACTS = {
    **{"title": HOSTILE, "summary": "1 mask", "shown_note": "all", "warnings": [HOSTILE]},
    **{"went_in": [(HOSTILE, 1)], "has_truth": True, "figures": [], "times": []},
    "tables": [
        {
            "title": "class",
            "rows": [{"name": HOSTILE, "labels": 1, "score": 0.5, "quality": None, "iou": 0.25}],
        }
    ],
    **{"paper": HOSTILE, "differing": [(HOSTILE, "1", "2")], "settings": HOSTILE},
}


def test_a_script_holds_its_value_and_nothing_that_ends_it() -> None:
    text = script("page", {"f": HOSTILE})
    assert "<" not in text
    assert text.isascii()
    inner = text.removeprefix('maskmill("page",').removesuffix(");\n")
    assert json.loads(inner) == {"f": HOSTILE}


def test_a_page_shows_hostile_names_as_text() -> None:
    text = page_text(FACTS, [{"f": HOSTILE, "c": HOSTILE}])
    assert "<img src=x" not in text
    assert text.count("</script>") == 2  # its own
    assert "&lt;/script&gt;&lt;img src=x" in text
    assert "<td>0.500</td><td>-</td><td>0.250</td>" in text


def test_files_hold_a_bounded_number() -> None:
    assert picture_path(1234) == "pictures/001/001234.jpg"
    name, text = trail_script(200, [{"steps": []}])
    assert name == "trails/00002.js"
    assert text.startswith('maskmill("trails/00002.js",')
