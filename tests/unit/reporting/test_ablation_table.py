"""The Markdown: numbers as they are written, whole tables, and names that would break them."""

from collections.abc import Mapping
from typing import Any

from stages.metrics.ablation import ablation
from stages.metrics.detectors import detectors
from stages.reporting.ablation_table import ablation_table
from tests.measured import measured

TRIVIAL = {"random": 0.3, "sam_top1": 0.4, "best_in_bag": 0.8}


def text_of(
    values: Mapping[str, tuple[float, ...]], over: Mapping[str, str | None], **more: Any
) -> str:
    runs = {
        name: [measured({**TRIVIAL, "pseudo_label": value}, **more) for value in column]
        for name, column in values.items()
    }
    seeds = list(range(len(next(iter(values.values())))))
    scored = runs if "detector" in more else {}
    table = detectors(scored, "full", over)
    return ablation_table({"seeds": seeds, **ablation(runs, over), "detectors": table})


def line_of(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_one_seed_has_no_spread() -> None:
    text = text_of({"full": (0.5,)}, {})
    cells = line_of(text, "**full**")
    assert cells == [
        "**full**",
        "60.0",
        "50.0",
        "90.0",
        "50.0",
        "-",
        "25.0",
        "25.0",
        "0.100",
        "25.0",
    ]
    assert "seeds: 0; images: 5; objects: 40; by difficulty: single 10, part 30." in text
    assert "## Gains" not in text
    assert "## Detectors" not in text
    assert "±" in text  # in the definitions alone
    assert " ± " not in text.split("## Pseudo-labels")[1].split("## Against")[0]
    assert line_of(text, "**full** - random (mean of the bag)")[3] == "-"  # no sd, no verdict


def test_seeds_give_mean_and_sd_and_gains_with_their_number() -> None:
    text = text_of({"mil": (0.4, 0.5), "full": (0.6, 0.6)}, {"full": "mil"})
    assert line_of(text, "**mil**")[2] == "45.0 ± 7.1"
    gains = line_of(text, "**full** over mil")
    assert gains[1] == "+15.00 ± 7.07 (2/2)"
    assert gains[-3:] == ["-7.50 ± 3.54", "+0.00 ± 0.00", "-"]
    assert line_of(text, "**full** - sam_top1")[1:4] == ["+20.00 ± 0.00", "+20.00", "yes"]
    assert line_of(text, "mask IoU")[1:4] == ["all", "single", "part"]


def test_sizes_have_a_line_for_each_row_below_their_numbers_of_objects() -> None:
    table = text_of({"mil": (0.4, 0.5)}, {}).split("## By size of object")[1].split("##")[0]
    assert line_of(table, "") == ["", r"\< 2 %", ">= 2 %"]
    assert line_of(table, "objects") == ["objects", "7", "33"]
    assert line_of(table, "**mil**") == ["**mil**", "15.0 ± 7.1", "45.0 ± 7.1"]
    assert line_of(table, "best in the bag (ceiling)")[1:] == ["50.0 ± 0.0", "80.0 ± 0.0"]


def test_a_size_without_objects_has_a_dash() -> None:
    table = text_of({"mil": (0.4,)}, {}, small=0).split("## By size of object")[1]
    assert line_of(table, "objects") == ["objects", "0", "40"]
    assert line_of(table, "**mil**") == ["**mil**", "-", "40.0"]


def test_every_line_of_a_table_has_as_many_cells_as_its_head() -> None:
    text = text_of({"mil": (0.4,), "full": (0.6,)}, {"full": "mil"}, detector=0.3)
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_no_difficulties_leave_one_column_of_gains() -> None:
    text = text_of({"mil": (0.4,), "full": (0.6,)}, {"full": "mil"}, sizes={})
    assert line_of(text, "mask IoU")[1:] == ["all", "group errors", "local errors", "label AP"]
    assert "by difficulty" not in text


def test_names_cannot_break_a_table() -> None:
    odd = "a|b\n`c`*d<e"
    text = text_of({"full": (0.5,), odd: (0.6,)}, {odd: "full"})
    assert r"| **a\|b \`c\`\*d\<e** over full |" in text


def test_a_pair_that_is_not_there_is_said() -> None:
    text = text_of({"full": (0.5,)}, {"full": "pnpg"})
    assert "- full is not compared, since pnpg is not among the variants." in text


def test_detectors_stand_beside_the_fully_supervised_one() -> None:
    text = text_of({"full": (0.5,)}, {}, detector=0.3)
    detector = text.split("## Detectors")[1]
    kept = ["100.0", "100.0", "-"]  # of itself; no AP75 was measured
    assert line_of(detector, "**full**") == ["**full**", *kept, "40.0", "30.0", "50.0", "-"]
    assert "over 1 seed." in detector
    assert "Differences within a seed" not in detector


def test_detectors_are_held_against_the_one_with_one_thing_less() -> None:
    text = text_of({"full": (0.5, 0.5), "paste": (0.6, 0.6)}, {"paste": "full"}, detector=0.3)
    detector = text.split("## Detectors")[1]
    none = ["+0.00 ± 0.00 (0/2)", "0.00"]
    assert line_of(detector, "**paste** over full")[1:] == [*none, *none]
    assert line_of(detector, "**paste** over ground truth")[1:] == [*none, *none]
    assert "**full** over" not in detector  # it is the ground truth of this table


def test_what_is_told_apart_has_a_star() -> None:
    values = {"mil": (0.4, 0.5, 0.45), "full": (0.6, 0.71, 0.65), "same": (0.6, 0.7, 0.66)}
    text = text_of(values, {"full": "mil", "same": "full"})
    assert line_of(text, "**full** over mil")[1] == r"+20.33 ± 0.58 (3/3) \*"
    assert line_of(text, "**same** over full")[1] == "+0.00 ± 1.00 (1/3)"
