"""An estimate in words: the text that `snakemake estimate` prints."""

from collections.abc import Mapping, Sequence

from stages.estimating.asks import Asks
from stages.estimating.counts import Counts
from stages.estimating.forecast import NOT_MODELLED, Row
from stages.reporting.columns import aligned

HEAD = ("stage", "jobs", "prompts", "looks", "TFLOP", "time", "MiB")
UNITS = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"))
SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


def duration(seconds: float | None, *, at_least: bool = False) -> str:
    """Seconds as people say them: "3.4 min"; a question mark where they are not known."""
    if seconds is None:
        return "?"
    sign = "> " if at_least else ""
    for unit, name in UNITS:
        if seconds >= unit:
            return f"{sign}{seconds / unit:.1f} {name}"
    return f"{sign}{seconds:.1f} s" if seconds >= 1 else f"{sign}{seconds * 1e3:.1f} ms"


def size(count: float) -> str:
    """Bytes as people say them: "4.2 GB"."""
    for unit, name in SIZES:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1e3:.1f} kB"


def labels_text(counts: Counts) -> str:
    """The weak labels by kind: "1,104 points in 240 images"."""
    kinds = {name: getattr(counts, name) for name in ("points", "boxes", "tags", "masks")}
    found = ", ".join(f"{count:,} {name}" for name, count in kinds.items() if count)
    return f"{found or 'none'} ({counts.how})"


def prompts_text(stage: str, asks: Asks) -> str:
    """What a stage asks by kind: "propose: 1,104 points, 2,208 inner points"."""
    kinds = ", ".join(
        f"? {kind}" if count is None else f"{count:,} {kind}"
        for kind, count in asks.prompts.items()
    )
    return f"{stage}: {kinds}"


def rows_text(rows: Sequence[Row]) -> str:
    """The table of stages, and what each line rests on."""
    lines = aligned([HEAD, *(_cells(row) for row in rows)]).splitlines()
    width = max(map(len, lines))
    hows = ["known from", *(row.how for row in rows)]
    return "\n".join(f"{line.ljust(width)}  {how}" for line, how in zip(lines, hows, strict=True))


def _cells(row: Row) -> tuple[str, ...]:
    asks = row.asks
    prompts = f"{asks.known:,}" if asks.known else "-"
    return (
        row.stage,
        str(row.jobs),
        "?" if None in asks.prompts.values() and not asks.known else prompts,
        "?" if asks.looks is None else (f"{asks.looks:,}" if asks.looks else "-"),
        _work(row.flop),
        duration(row.seconds, at_least=row.at_least),
        "-" if row.memory is None else f"{row.memory:,.0f}",
    )


def _work(flop: float | None) -> str:
    """FLOP in TFLOP."""
    if flop is None:
        return "-"
    return f"{flop / 1e12:,.0f}" if flop >= 1e14 else f"{flop / 1e12:.3g}"


def total_text(rows: Sequence[Row], at_once: int) -> str:
    """The sum of what is known, of which stages it is not known, and how many jobs run at once."""
    known = [row for row in rows if row.seconds is not None]
    missing = [row.stage for row in rows if row.seconds is None]
    at_least = bool(missing) or any(row.at_least for row in known)
    if not known:
        return "total: not known"
    seconds = sum(row.seconds or 0.0 for row in known)
    text = f"total: {duration(seconds, at_least=at_least)} of jobs one after the other"
    shared = f"; up to {at_once} at once" if at_once > 1 else ""
    without = f"; without {', '.join(missing)}" if missing else ""
    return f"{text}{shared}{without}"


def unknown_text(rows: Sequence[Row], counts: Counts, rounds: int, more: Sequence[str]) -> str:
    """What the estimate does not know, a line each."""
    lines = [*more]
    if any(NOT_MODELLED in row.how for row in rows):
        names = ", ".join(row.stage for row in rows if NOT_MODELLED in row.how)
        lines.append(f"time of {names}: {NOT_MODELLED}; after a first run its benchmarks tell it")
    if any(None in row.asks.prompts.values() for row in rows):
        lines.append("prompts with a question mark: a network that is still to be trained decides")
    if counts.tags:
        lines.append("how many labels come of tags, and so what refine asks")
    if rounds > 1:
        lines.append(f"rounds 2 to {rounds}: each about as much again, where it asks again")
    lines.append("`ablation`, `label_cost`, `compare_engines`: the plain run alone is told")
    return "\n".join(f"  - {line}" for line in lines)


def disk_text(parts: Mapping[str, float], free: float) -> str:
    """What will lie on the disk, and whether it has room."""
    lines = [f"  {size(count):>9}  {name}" for name, count in parts.items()]
    total = sum(parts.values())
    enough = "enough" if total < free else "NOT ENOUGH: free some, or move results/ elsewhere"
    return "\n".join([*lines, f"  {size(free):>9}  free where results/ lies: {enough}"])
