"""The whole text of an estimate, from what is known and what is not."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from stages.estimating.asks import Asks
from stages.estimating.counts import Counts
from stages.estimating.flops import Work, work_of
from stages.estimating.forecast import Row
from stages.estimating.probe import Probed
from stages.estimating.tempo import Tempo
from stages.estimating.wording import labels_text, prompts_text, rows_text, total_text
from stages.settings.estimate import Estimate

Values = Mapping[str, Any]


def disk_of(asks: Mapping[str, Asks], work: Work | None, found: Probed | None) -> dict[str, float]:
    """Bytes that will lie below results/, of what can be known."""
    parts: dict[str, float] = {}
    kept = sum(own.looks or 0 for own in asks.values() if own.is_kept)
    if work and kept:
        parts["embeddings, until `snakemake tidy`"] = kept * work.embedding
    if found:
        answers = asks["propose"].known * found.bytes
        parts["answers to propose, by those that were tried"] = answers
        parts["shards of propose: the same rows"] = answers
    return parts


def text_of(
    facts: Values, settings: Estimate, counts: Counts, rows: Sequence[Row], tempo: Tempo
) -> list[str]:
    """The first lines, and the table."""
    own = facts["settings"]["propose"]
    at_once = max(_cores() // int(facts["threads"]), 1) if facts["device"] == "cpu" else 1
    where = f"here: {facts['device']}, {_cores()} cores, {facts['threads']} thread(s) a job"
    asking = [prompts_text(row.stage, row.asks) for row in rows if row.asks.prompts]
    return [
        f"Estimate of run {facts['run']}, variant {facts['variant']}, as if nothing were done yet",
        f"device     {where if settings.device == 'here' else settings.device}",
        f"images     {counts.images:,} to label, {counts.held_out:,} held out",
        f"labels     {labels_text(counts)}",
        f"segmenter  {segmenter_text(own)}",
        f"times      {tempo.told}",
        *(f"prompts    {line}" for line in asking),
        "",
        rows_text(rows),
        total_text(rows, at_once if settings.device == "here" else 1),
        "looks: passes of the segmenter's image encoder; MiB: most memory of one job",
    ]


def segmenter_text(propose: Values) -> str:
    """The segmenter and its work."""
    name = propose["segmenter"]
    if name != "sam":
        return f"{name}: its work is not counted"
    work = work_of(propose["sam"]["model"])
    return (
        f"sam {propose['sam']['model']}, {work.parameters / 1e6:,.1f} M parameters "
        f"({work.parameters * 4 / 2**20:,.0f} MiB): encoder {work.encoder / 1e12:.3g} TFLOP "
        f"a look, decoder {work.decoder / 1e9:.3g} GFLOP a prompt, counted on its architecture"
    )


def more_unknown(facts: Values, settings: Estimate, tempo: Tempo) -> list[str]:
    """What is not known for reasons of the machine or of single keys."""
    lines = []
    if settings.device != "here":
        lines += [
            "reading, cleaning and run lengths of masks: work of that machine's CPU",
            "memory of that GPU beyond the weights",
        ]
    elif tempo.pace is None:
        lines.append("time of whatever asks the segmenter (see above)")
    if facts["settings"]["prepare"].get("mask_share"):
        lines.append("which labels prepare.mask_share turns into given masks: none are taken off")
    return lines


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
