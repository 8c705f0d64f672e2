"""A tiny run from points with P2BNet's boxes: its files, a kill, and what reruns."""

from typing import Any

import pytest

from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_tables
from tests.small_config import TRAINING
from tests.workflow.code_users import EDIT, modules_of, users_of
from tests.workflow.test_kill import ASSASSIN
from tests.workflow.workspace import TINY, Workspace, from_first, merged, new_workspace

SMALL = {"epochs": 1, "batch_images": 2, "checkpoint_every": 1}
LEARNED: dict[str, Any] = {
    "network": "p2b",
    "p2b": {
        "features": {"channels": 8, "hidden": 16, "roi_size": 2},
        "finer": {"negatives": 20},
        "training": SMALL,
    },
}
PRINTED: dict[str, Any] = {  # SAPNet, Sec. 4.2: three masks of the point, three of the box
    "shards": 1,
    "fit_prompt": LEARNED,
    "prompt": {"sources": [{"source": "labels"}, {"source": "p2b"}]},
    "propose": {"prompts": [{"source": "label", "masks": "all"}]},
    "train": {"enabled": False},
}
CHAIN = (
    *("partworld", "prepare", "fit_prompt", "prompt", "propose"),
    *("fit_select", "select", "fit_refine", "refine", "grade", "export", "evaluate", "report"),
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run. Do not write into it; ask for `boxed` instead."""
    workspace = new_workspace(tmp_path_factory.mktemp("boxed") / "repo")
    workspace.configure(merged(TINY, PRINTED))
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == set(CHAIN)
    return workspace


@pytest.fixture
def boxed(done: Workspace, tmp_path: Any) -> Workspace:
    """A copy of the finished run."""
    return done.copy(tmp_path / "repo")


@pytest.mark.long
def test_each_object_has_three_masks_of_its_point_and_three_of_its_box(done: Workspace) -> None:
    files = sorted((done.results() / "propose").glob("*.parquet"))
    kinds: dict[tuple[int, int], list[str]] = {}
    for row in read_tables(files, PROPOSALS).to_pylist():
        kinds.setdefault((row["image_id"], row["bag_id"]), []).append(row["prompt_kind"])
    assert len(kinds) > 8
    assert all(sorted(own) == ["box"] * 3 + ["point"] * 3 for own in kinds.values())
    prompts = read_tables(sorted((done.results() / "prompt").glob("*.parquet")), PROMPTS)
    assert len(prompts) == 2 * len(kinds)
    assert (done.results() / "sapnet" / "export" / "pseudo_labels.json").is_file()


@pytest.mark.long
def test_a_second_run_does_nothing(boxed: Workspace) -> None:
    outcome = boxed.snakemake()
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == {}


@pytest.mark.long
def test_a_killed_training_of_boxes_gives_the_same_bytes(boxed: Workspace) -> None:
    before = boxed.digests("fit_prompt")
    (boxed.results() / "fit_prompt" / "model.pt").unlink()
    (boxed.folder / "sitecustomize.py").write_text(ASSASSIN)
    target = "results/tiny/fit_prompt/model.pt"
    killed = boxed.snakemake(target, KILL_AT="stage:after:*model.pt.parts/*/checkpoint.pt")
    assert killed.code != 0
    again = boxed.snakemake(target)
    assert again.code == 0, again.text
    assert boxed.digests("fit_prompt") == before
    assert "resum" in boxed.log("fit_prompt")


FROM_POINTS: dict[str, Any] = {
    "prompt__sources": [{"source": "labels"}, {"source": "p2b", "rounds": 1}],
    "fit_prompt__network": "p2b",
    "fit_prompt__p2b": {
        "features": {"source": "sam", "path": None, "weights": None, "weights_sha256": None},
        "training": TRAINING,
    },
}
MIL = {"fit_select", "select", "fit_refine", "refine"}
USERS = {  # an edited file -> the rules whose programs use it
    "methods/prompters/p2b.py": {"prompt"},
    "methods/prompters/labels.py": {"prompt"},
    "methods/prompters/clues.py": set(),
    "learning/p2b_fitting.py": {"fit_prompt"},
    "learning/p2b_network.py": {"fit_prompt", "prompt"},
    "learning/p2b_step.py": {"fit_prompt", "prompt"},
    "learning/clue_fitting.py": set(),
    "learning/conv_clues.py": set(),
    "learning/sam_inputs.py": MIL | {"fit_prompt", "prompt"},
    "mil/p2b.py": {"fit_prompt", "prompt"},
    "settings/box_networks/p2b.py": set(),
}


@pytest.mark.parametrize(("name", "rules"), USERS.items(), ids=list(USERS))
def test_the_digest_of_a_file_is_in_the_stages_with_boxes_that_use_it(
    name: str, rules: set[str]
) -> None:
    assert users_of(name, modules_of(**FROM_POINTS)) == rules
    if "p2b" in name:
        assert users_of(name, modules_of()) == set()


CHANGES: list[tuple[dict[str, Any], str | None]] = [  # the first rule that reruns
    ({"fit_prompt": {"p2b": {"top": 3}}}, "fit_prompt"),
    ({"prompt": {"sources": [{"source": "labels"}, {"source": "p2b", "rounds": 0}]}}, "prompt"),
    ({"fit_prompt": {"conv": {"layers": 1}}}, None),
]


@pytest.mark.long
@pytest.mark.parametrize(("change", "first"), CHANGES, ids=[str(c) for c, _ in CHANGES])
def test_a_change_of_boxes_reruns_what_depends_on_it(
    change: dict[str, Any], first: str | None, boxed: Workspace
) -> None:
    boxed.configure(merged(TINY, PRINTED, change))
    outcome = boxed.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == (from_first({first}, CHAIN) if first else set())


@pytest.mark.long
def test_an_edit_reruns_who_chose_boxes(boxed: Workspace) -> None:
    path = boxed.folder / "stages" / "mil" / "p2b.py"
    path.write_text(path.read_text() + EDIT)
    outcome = boxed.snakemake("-n")
    assert set(outcome.jobs()) == from_first({"fit_prompt"}, CHAIN)


@pytest.mark.long
def test_a_frozen_network_is_asked_and_not_trained(boxed: Workspace) -> None:
    model = boxed.results() / "fit_prompt" / "model.pt"
    (boxed.folder / "boxes.pt").write_bytes(model.read_bytes())
    boxed.configure(merged(TINY, PRINTED, {"run": "other", "fit_prompt": {"model": "boxes.pt"}}))
    outcome = boxed.snakemake("--until", "prompt")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == {"partworld", "prepare", "prompt"}
    both = [boxed.folder / "results" / run / "prompt" for run in ("tiny", "other")]
    old, new = (read_tables(sorted(place.glob("*.parquet")), PROMPTS) for place in both)
    assert old.to_pylist() == new.to_pylist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fit_prompt": {"network": "conv"}}, "p2b does not ask the network that fit_prompt.netw"),
        ({"prepare": {"labels": "box"}}, "p2b makes boxes of points, but prepare.labels is box"),
        ({"fit_prompt": {"model": "no.pt"}}, "fit_prompt.model: there is no file no.pt."),
    ],
    ids=["network", "labels", "model"],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    change: dict[str, Any], said: str, fresh: Workspace
) -> None:
    fresh.configure(merged(TINY, PRINTED, change))
    outcome = fresh.snakemake("-n")
    assert outcome.code != 0
    assert said in outcome.text
    assert "Traceback" not in outcome.text
