"""What a real run leaves: Snakemake's records of its outputs, and headers in them."""

import re
from pathlib import Path

import pytest

from stages.planning.strangers import header_of, unrecorded
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long


def test_every_output_of_a_run_has_a_record_and_what_was_made_a_header(
    finished: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    made = [
        path
        for path in sorted(Path("results/tiny").rglob("*"))
        if "answers" not in path.parts  # which are no outputs
        and re.fullmatch(r".*\.(parquet|pt)|pseudo_labels\.json|metrics\.json", path.name)
    ]
    assert len(made) > 10
    assert unrecorded(made, Path(".snakemake")) == []
    assert unrecorded(made, Path("elsewhere")) == made
    for path in made:
        if "stock" in path.parts:  # a model as its library has it, beside ours with the header
            continue
        header = header_of(path)
        assert header, path
        assert header["seed"] == 0, path
        assert "settings" in header, path
