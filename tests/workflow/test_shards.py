"""How many shards there are changes nothing in the result."""

from tests.workflow.workspace import TINY, Workspace, merged


def test_one_shard_and_four_give_the_same_export(workspace: Workspace) -> None:
    four = workspace.digests("export")
    workspace.configure(merged(TINY, {"shards": 1}))
    outcome = workspace.snakemake("--until", "export")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs()["propose"] == 1
    assert workspace.digests("export") == four
