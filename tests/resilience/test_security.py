"""What strangers wrote is data: no pickle runs, no name is more than text to a shell or a page.

What is trusted, and what is not: SECURITY.md.
"""

import io
import json
import pickle
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from stages.learning.embedded_inputs import CHECK, kept
from stages.learning.model_file import load_model
from stages.learning.trainer import _resumed
from stages.learning.vgg import vgg_weights
from stages.planning.strangers import header_of
from stages.runtime.weights import read_weights
from stages.segmenters.crop_backbones import BACKBONES, load_weights
from stages.segmenters.sam_loading import load_sam
from stages.settings.judge import judged
from tests.workflow.photographs import Coco, configure, label, lay_out, pointed
from tests.workflow.workspace import ROOT, Workspace

MARK = "was_here"
HOSTILE = {
    "semicolon": f"a; touch {MARK}",
    "substitution": f"$(touch {MARK})",
    "backticks": f"`touch {MARK}`",
    "quotes": f"'\"; touch {MARK}; \"'",
    "pipe": f"a | touch {MARK}",
    "flag": "--out",
    "dashes": "-rf",
    "line break": f"a\ntouch {MARK}",
    "page": f"</script><script>document.title='{MARK}'</script><img src=x onerror=alert(1)>",
    "braces": "{home} {params.setup}",
}


class Bomb:
    """What touches a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def _plain_pickle(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps({"state": Bomb(mark), "header": "{}"}, protocol=2))


def _torchs(path: Path, mark: Path) -> None:
    torch.save({"state": {"a": torch.zeros(2)}, "header": Bomb(mark)}, path)


def _torchs_of_old(path: Path, mark: Path) -> None:
    torch.save({"state": Bomb(mark)}, path, _use_new_zipfile_serialization=False)


def _zip(path: Path, mark: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"step": Bomb(mark)}, protocol=2))
        archive.writestr("archive/version", "3\n")


PLANTED = [_plain_pickle, _torchs, _torchs_of_old, _zip]
NETWORK = torch.nn.Linear(2, 2)
READERS: dict[str, Callable[[Path], object]] = {
    "any": read_weights,
    "a model of ours": load_model,
    "VGG-16": lambda path: vgg_weights(path, None),
    "a backbone": lambda path: load_weights(BACKBONES["resnet18"](), path, None),
    "SAM": lambda path: load_sam("vit_tiny", path, None, torch.device("cpu")),
}


@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("reader", READERS)
def test_a_planted_pickle_is_refused_in_a_sentence_and_does_not_run(
    reader: str, plant: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    path, mark = tmp_path / "checkpoint.pt", tmp_path / MARK
    plant(path, mark)
    with pytest.raises(
        ValueError, match=r"checkpoint\.pt: not a (plain weight|model) file"
    ) as caught:
        READERS[reader](path)
    assert "weights_only" not in str(caught.value)  # torch's advice to run it all the same
    assert "\n" not in str(caught.value)
    assert not mark.exists()


@pytest.mark.parametrize("plant", PLANTED)
def test_a_training_does_not_go_on_from_a_planted_checkpoint(
    plant: Callable[[Path, Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path / "checkpoint.pt", tmp_path / MARK)
    optimizer = torch.optim.SGD(NETWORK.parameters())
    assert _resumed(NETWORK, optimizer, tmp_path) == (0, [])
    said = capsys.readouterr().err
    assert "checkpoint.pt: no whole checkpoint (" in said
    assert "weights_only" not in said
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("plant", PLANTED)
def test_planning_reads_the_header_of_a_planted_model_without_running_it(
    plant: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    plant(tmp_path / "model.pt", tmp_path / MARK)
    assert header_of(tmp_path / "model.pt") in (None, {})
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_a_planted_array_is_no_embedding(form: str, tmp_path: Path) -> None:
    planted = np.array([Bomb(tmp_path / MARK)], dtype=object)
    buffer = io.BytesIO()
    (np.save if form == "npy" else np.savez)(buffer, planted, allow_pickle=True)  # type: ignore[operator]
    data = buffer.getvalue()
    (tmp_path / "e.npy").write_bytes(data + zlib.crc32(data).to_bytes(CHECK, "big"))
    assert kept(tmp_path / "e.npy", 8) is None
    assert not (tmp_path / MARK).exists()


PLAIN = re.compile(r"\{(?!log:q|input\.\w+:q|output\.\w+:q|params\.\w+:q)(?:params\.)?([^}]*)\}")
RULES = ROOT / "workflow" / "rules"
CHOSEN = {  # numbers, words of a list in the config's schema, and what a wildcard's pattern allows
    *(
        "setup",
        "launcher",
        "threads",
        "each",
        "at_once",
        "seed",
        "shards",
        "shard",
        "device",
        "format",
        "split",
    ),
    *("look", "single", "category_ids", "images", "wildcards.half", "wildcards.format"),
}


@pytest.mark.parametrize("path", sorted(RULES.glob("*.smk")), ids=lambda path: path.stem)
def test_what_a_command_holds_of_a_user_is_quoted(path: Path) -> None:
    """By Snakemake (`:q`), or by `flag` and `flags`; what a plan's `..._flag` says is fixed."""
    text = path.read_text()
    shell = re.search(r"^    shell:\n(.*?)(?=^\S|\Z)", text, re.M | re.S)
    quoting = re.findall(r"^        (\w+)=(?:lambda w(?:, input)?: )?flags?\(", text, re.M)
    fixed = re.findall(r"^        (\w+)=PLAN\.\w+\.\w+_flag,", text, re.M)
    assert set(PLAIN.findall(shell[1] if shell else "")) <= {*CHOSEN, *quoting, *fixed}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("key", ["run", "variant", "variants"])
def test_a_run_of_a_hostile_name_is_refused(key: str, name: str) -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config[key] = {**config["variants"], name: {}} if key == "variants" else name
    with pytest.raises(ValueError, match=key):
        judged(config)


def _hostile(coco: Coco) -> Coco:
    """The labels, with such names of photographs and classes."""
    names = [name.replace("/", "\N{DIVISION SLASH}") for name in HOSTILE.values()]
    for number, image in enumerate(coco["images"]):
        image["file_name"] = f"{names[number % len(names)]} {number}.png"
    for number, category in enumerate(coco["categories"]):
        category["name"] = list(HOSTILE.values())[number % len(names)] + f" {number}"
    return coco


@pytest.mark.long
def test_hostile_names_go_through_a_run_as_text(finished: Workspace, tmp_path: Path) -> None:
    workspace = lay_out(finished, tmp_path / "repo")
    before, coco = pointed(finished), _hostile(pointed(finished))
    for old, new in zip(before["images"], coco["images"], strict=True):
        (workspace.folder / "photographs" / old["file_name"]).rename(
            workspace.folder / "photographs" / new["file_name"]
        )
    label(workspace, coco)
    configure(workspace, shards=2, train={"enabled": False})
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    assert workspace.snakemake("tasks").code == 0
    exported = json.loads(
        (workspace.results() / "sapnet" / "export" / "pseudo_labels.json").read_text()
    )
    for key in ("images", "categories"):
        own = {entry["id"]: entry.get("file_name", entry.get("name")) for entry in coco[key]}
        assert all(own[e["id"]] == e.get("file_name", e.get("name")) for e in exported[key])
    page = (workspace.results() / "sapnet" / "report" / "index.html").read_text()
    assert "<img src=x" not in page
    assert f"<script>document.title='{MARK}'" not in page
    assert [path for path in workspace.folder.rglob("*") if path.name == MARK] == []
