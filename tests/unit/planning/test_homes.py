"""In which home the files of each stage lie: hand-made tables of who shares what."""

import re
from typing import Any

import pytest

from stages.planning.homes import Case, Homes
from stages.planning.plan import plan_of
from tests.small_config import FILES, ROOT, compared, config

STAGES = ("prepare", "prompt", "propose", "fit_select", "select", "fit_refine", "refine", "export")


def _homes(**changes: Any) -> Homes:
    return plan_of(config(**changes), root=ROOT).homes


@pytest.fixture
def on_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Changes that name photographs on disk, and the folder that has them."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "a.json").touch()
    monkeypatch.chdir(tmp_path)
    return {"dataset__source": "files", "dataset__train": FILES}


PLAIN = [  # variant; where prepare and propose lie, where the rest
    ("v", "r", "r", "r/v"),
    ("full", "r", "r", "r/full"),
    ("merged", "r", "r", "r/merged"),  # changes export alone
    ("whole", "r", "r/whole", "r/whole"),  # changes propose
    ("centred", "r/centred", "r/centred", "r/centred"),  # changes prepare
]


@pytest.mark.parametrize(("variant", "prepare", "propose", "rest"), PLAIN)
def test_a_plain_run_shares_what_equals_the_configs(
    variant: str, prepare: str, propose: str, rest: str
) -> None:
    homes = _homes(variant=variant).of_case[Case(variant)]
    assert homes["prepare"] == prepare
    assert homes["propose"] == propose
    assert {homes[stage] for stage in STAGES[3:]} == {rest}
    assert "prompt" not in homes  # nobody looks at photographs
    assert {homes[stage] for stage in ("train", "evaluate", "compare")} == {f"r/{variant}"}


# variant: the owner of each stage, by hand; `.` is what all share, `-` a stage that it has not
OWNERS = {  # prepare prompt propose fit_select select fit_refine refine export
    "top1": ". - . - top1 - top1 top1",
    "pdg": ". - . pdg pdg - pdg pdg",
    "pnpg": ". - . pdg pdg pnpg pnpg pnpg",
    "full": ". - . pdg pdg pnpg full full",
    "merged": ". - . pdg pdg pnpg full merged",
    "paste": ". - . pdg pdg pnpg full full",
    "whole_top1": ". - whole_top1 - whole_top1 - whole_top1 whole_top1",
    "whole": ". - whole_top1 whole whole whole whole whole",
    "centred": "centred - centred centred centred centred centred centred",
    "joint": ". - . joint joint - joint joint",
}


@pytest.mark.parametrize(("variant", "owners"), OWNERS.items(), ids=list(OWNERS))
def test_an_ablation_of_drawn_worlds_shares_what_is_alike_per_seed(
    variant: str, owners: str
) -> None:
    homes = _homes(**compared(*OWNERS)).of_case[Case(variant, 2)]
    wanted = dict(zip(STAGES, owners.split(), strict=True))
    assert homes["partworld"] == "r/seed-2"
    for stage, owner in wanted.items():
        place = "r/seed-2" if owner == "." else f"r/seed-2/{owner}"
        assert homes.get(stage) == (None if owner == "-" else place), stage
    assert homes["train"] == homes["evaluate"] == f"r/seed-2/{variant}"


@pytest.mark.parametrize(("variant", "owners"), OWNERS.items(), ids=list(OWNERS))
def test_an_ablation_of_files_shares_prepare_to_propose_among_seeds(
    variant: str, owners: str, on_files: dict[str, Any]
) -> None:
    homes = _homes(**compared(*OWNERS), **on_files).of_case[Case(variant, 2)]
    wanted = dict(zip(STAGES, owners.split(), strict=True))
    assert "partworld" not in homes
    for stage, owner in wanted.items():
        place = "r" if owner == "." else f"r/{owner}"
        seeded = place if stage in STAGES[:3] else f"{place}/seed-2"
        assert homes.get(stage) == (None if owner == "-" else seeded), stage
    assert homes["train"] == homes["evaluate"] == f"r/{variant}/seed-2"


def test_what_several_share_lies_with_the_first_in_report_order() -> None:
    for names, owner in ((("full", "pnpg"), "full"), (("pnpg", "full"), "pnpg")):
        homes = _homes(**compared(*names))
        for name in names:
            assert homes.of_case[Case(name, 1)]["fit_refine"] == f"r/seed-1/{owner}"


def test_the_plain_run_and_the_ablation_share_only_what_lies_on_disk(
    on_files: dict[str, Any],
) -> None:
    drawn, found = (_homes(variant="full", **changes) for changes in ({}, on_files))
    assert drawn.of_case[Case("full")]["propose"] != drawn.of_case[Case("full", 1)]["propose"]
    assert found.of_case[Case("full")]["propose"] == found.of_case[Case("full", 1)]["propose"]
    for homes in (drawn, found):
        assert homes.of_case[Case("full")]["select"] != homes.of_case[Case("full", 1)]["select"]


def test_a_detector_alone_reads_the_labels_of_a_compared_variant() -> None:
    homes = _homes(**compared("full", detectors=("full", "paste", "truth")))
    paste, truth = homes.of_case[Case("paste", 1)], homes.of_case[Case("truth", 1)]
    assert paste["export"] == "r/seed-1/full"
    assert paste["train"] == "r/seed-1/paste"
    assert set(truth) == {
        "partworld",
        "prepare",
        "train",
        "evaluate",
        "compare",
        "report",
        "review",
    }
    assert truth["prepare"] == "r/seed-1"


SEEDS = [  # stage, seed of the case, drawn worlds; seed of its random choices: 5 is the config's
    ("propose", None, True, 5),
    ("propose", 2, True, 2),
    ("propose", 2, False, 5),
    ("fit_select", 2, True, 2),
    ("fit_select", 2, False, 2),
    ("refine", None, False, 5),
]


@pytest.mark.parametrize(("stage", "seed", "drawn", "wanted"), SEEDS)
def test_what_seeds_share_has_the_configs_seed(
    stage: str, seed: int | None, drawn: bool, wanted: int, on_files: dict[str, Any]
) -> None:
    homes = _homes(**({} if drawn else on_files))
    assert homes.seed_of(Case("full", seed), stage) == wanted


def test_only_homes_that_were_dealt_match_the_wildcard() -> None:
    homes = _homes(**compared("top1", "pdg", "full"))
    select = homes.expression("select")
    for home in ("r/v", "r/seed-1/top1", "r/seed-2/pdg"):
        assert re.fullmatch(select, home), home
    for home in ("r", "r/seed-1/full", "r/seed-3/top1", "x/v", "r/w", "r/seed-1"):
        assert not re.fullmatch(select, home), home
    assert re.fullmatch(homes.expression("propose"), "r/seed-1")
    assert not re.fullmatch(homes.expression("no_such_stage"), "r")


def test_each_home_has_a_case_whose_files_lie_there() -> None:
    homes = _homes(**compared(*OWNERS, detectors=("paste", "truth")))
    for (stage, home), case in homes.reader.items():
        assert homes.of_case[case][stage] == home
        assert homes.at(case, stage, "a.parquet") == f"results/{home}/{stage}/a.parquet"
