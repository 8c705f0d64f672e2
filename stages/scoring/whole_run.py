"""Whether the tables of a run belong together: all shards, all objects, all proposals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.tables.grades import GRADES
from stages.tables.headers import checked_header
from stages.tables.keys import check_same, keys_of
from stages.tables.members import Members
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.shards import whole_set
from stages.tables.trail import TRAIL

RECORDS = {
    "proposals": PROPOSALS,
    "selections": SELECTIONS,
    "pseudo_labels": PSEUDO_LABELS,
    "trails": TRAIL,
    "grades": GRADES,
}
CHOICE = ("bag_id", "proposal_id")


def check_run(tables: Mapping[str, Sequence[Path]], members: Members) -> None:
    """Hold the tables of a run against the weak labels and against each other.

    Parameters
    ----------
    tables : files of all shards for each of RECORDS.

    Raises
    ------
    ValueError : a shard is missing, was made otherwise than the others, or has other images,
        objects or proposals than the table before it.
    """
    ordered = []
    for name, record in RECORDS.items():
        whole_set(tables[name], record)
        members.check_count(tables[name])
        shards = {str(checked_header(path, record).get("shard")): path for path in tables[name]}
        ordered.append([path for _, path in sorted(shards.items())])
    counts = {name: len(paths) for name, paths in zip(RECORDS, ordered, strict=True)}
    if len(set(counts.values())) > 1:
        seen = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise ValueError(f"shards of different counts are mixed: {seen}. Give all of one count.")
    for paths in zip(*ordered, strict=True):
        _check_shard(dict(zip(RECORDS, paths, strict=True)), members)


def _check_shard(paths: Mapping[str, Path], members: Members) -> None:
    members.check_bags(paths["proposals"], PROPOSALS)
    _, offered = members.shard_rows(paths["proposals"], PROPOSALS, CHOICE)
    _, scored = members.shard_rows(paths["selections"], SELECTIONS, CHOICE)
    if not scored.equals(offered):
        seen, wanted = keys_of(scored, *CHOICE), keys_of(offered, *CHOICE)
        check_same(seen, wanted, what="proposals", where=paths["selections"])
    members.check_labelled(paths["pseudo_labels"])
    _, labelled = members.shard_rows(paths["pseudo_labels"], PSEUDO_LABELS, ("instance_id",))
    for name, record in (("trails", TRAIL), ("grades", GRADES)):
        _, told = members.shard_rows(paths[name], record, ("instance_id",))
        check_same(
            keys_of(told, "instance_id"),
            keys_of(labelled, "instance_id"),
            what="instances",
            where=paths[name],
        )


def has_tables(args: Any) -> bool:
    """Whether there are labels to judge; None of the tables means a detector alone.

    Raises
    ------
    ValueError : some of the tables are given and some are not.
    """
    absent = [f"--{name.replace('_', '-')}" for name in RECORDS if not getattr(args, name)]
    if absent and len(absent) < len(RECORDS):
        raise ValueError(
            f"{' and '.join(absent)} missing: proposals, selections, pseudo-labels, trails "
            "and grades belong together. Give all five, or none to score a detector alone."
        )
    return not absent
