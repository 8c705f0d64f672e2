"""What correcting labels buys a whole run: labels, those that nobody corrected, and the detector.

    python -m benchmarks.bench_corrected_runs --seeds 3 --shares 0.1 0.3 --steps 800 \
        --kept results/corrected.json --out corrected.png

For each seed the demo's settings make labels of a drawn world. Then a share of them gets true masks
(all others keep theirs), in the order of the list that `review` writes or in random order, comes
back through `dataset.corrections`, and everything that depends on it is made again: PSM and PRM
(`--given` is `select.psm.given`), and the detector (`--steps 0`: none). `--kept` has the numbers of
each finished run, which a second call does not make again; without `--shares` it is drawn.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_corrections import WORDS, corrected, known_ious, listed_ious
from stages.formats.pseudo_label_file import opened_labels
from stages.formats.writer import KEEP
from stages.reporting.canvas import canvas, plain
from stages.runtime.atomic import write_text
from stages.scoring.truth import Truth

ORDERS = ("list", "random")
VALUES = {  # of a run, in %
    "labels": "mask IoU of all labels",
    "rest": "of those not corrected",
    "rest_before": "of the same before",
    "mask_ap": "the detector's mask AP",
}
SIZE = (9.5, 4.5)  # inches


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3])
    parser.add_argument("--shares", type=float, nargs="*", default=[], help="between 0 and 1")
    parser.add_argument("--steps", type=int, default=800, help="of the detector's training")
    parser.add_argument("--given", choices=("certain", "bag"), default="bag")
    parser.add_argument("--kept", type=Path, required=True, help="JSON, read and written")
    parser.add_argument("--out", type=Path, help="PNG")
    args = parser.parse_args(argv)
    kept: dict[str, dict[str, float]] = {}
    if args.kept.exists():
        kept = json.loads(args.kept.read_text())
    for seed in args.seeds if args.shares else []:
        for name, values in measured(Run(seed, args.steps, args.given), args.shares, kept):
            kept[name] = values
            write_text(args.kept, json.dumps(kept, indent=1) + "\n")
    print(table_of(kept))
    if args.out:
        draw(kept, args.out)


def measured(
    run: "Run", shares: Sequence[float], kept: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the name and the numbers of each run that is not among `kept`."""
    cases = [(order, share) for share in shares for order in ORDERS if share < 1]
    cases += [("list", share) for share in shares if share == 1]
    wanted = {name_of(run.seed, *case): case for case in cases}
    todo = {name: case for name, case in wanted.items() if name not in kept}
    none = name_of(run.seed, "list", 0.0)
    if none in kept and not todo:
        return
    run.make({})
    before = known_ious(run.objects)
    listed, _ = listed_ious(opened_labels(run.labels, KEEP), run.objects)
    shuffled = [int(number) for number in np.random.default_rng(run.seed).permutation(listed)]
    files = {}
    for name, (order, share) in todo.items():
        ids = (listed if order == "list" else shuffled)[: round(share * len(listed))]
        files[name] = run.corrections(name, ids)
    yield none, run.numbers(before, set())
    for name, (path, instances) in files.items():
        run.make({"corrections": str(path)})
        yield name, run.numbers(before, instances)


def name_of(seed: int, order: str, share: float) -> str:
    """Of a run among those kept."""
    return f"{seed} {order} {share:g}"


class Run:
    """The demo's run on one world."""

    def __init__(self, seed: int, steps: int, given: str) -> None:
        self.seed = seed
        self.name = f"corrected-{seed}"
        train = f"{{iterations: {steps}}}" if steps else "{enabled: false}"
        words = {"run": self.name, "seed": seed, "train": train}
        words["select"] = f"{{psm: {{given: {given}}}}}"
        self.config = [f"{key}={value}" for key, value in words.items()]
        self.folder = Path("results") / self.name
        self.labels = self.folder / "sapnet/export/pseudo_labels.json"
        self.objects = self.folder / "sapnet/evaluate/objects.parquet"

    def make(self, dataset: dict[str, str]) -> None:
        """All of it, with these keys of `dataset`."""
        words = [*self.config, *([f"dataset={json.dumps(dataset)}"] if dataset else [])]
        base = [sys.executable, "-m", "snakemake", "--cores", "1", "--config", *words]
        done = subprocess.run(base, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)

    def corrections(self, name: str, ids: Sequence[int]) -> tuple[Path, set[int]]:
        """File that gives these annotations their true masks, and the objects that they are of."""
        file = opened_labels(self.labels, KEEP)
        truth = Truth(self.folder / "partworld/train/annotations.json")
        values = corrected(file, ids, truth)
        path = self.folder / f"{name.replace(' ', '-')}.json"
        write_text(path, json.dumps(values) + "\n")
        wanted = set(ids)
        pairs = ((e["id"], e["provenance"]["instance_id"]) for e in file.annotations())
        return path, {instance for number, instance in pairs if number in wanted}

    def numbers(self, before: dict[int, float], instances: set[int]) -> dict[str, float]:
        """VALUES in %, where these objects were corrected."""
        now = known_ious(self.objects)
        rest = sorted(set(before) - instances)
        metrics = json.loads((self.folder / "sapnet/evaluate/metrics.json").read_text())
        left = [now[number] for number in rest]
        found = {"labels": (sum(left) + len(instances)) / len(before)}
        if metrics["detector"]:
            found["mask_ap"] = metrics["detector"]["segm"]["AP"]
        if rest:
            found["rest"] = sum(left) / len(rest)
            found["rest_before"] = float(np.mean([before[number] for number in rest]))
        return {key: round(100 * value, 2) for key, value in found.items()}


def by_case(kept: dict[str, dict[str, float]]) -> dict[tuple[float, str], list[dict[str, float]]]:
    """Numbers of all seeds by share and order, by rising share."""
    found: dict[tuple[float, str], list[dict[str, float]]] = {}
    for name, values in kept.items():
        _, order, share = name.split()
        found.setdefault((float(share), order), []).append(values)
    return dict(sorted(found.items()))


def table_of(kept: dict[str, dict[str, float]]) -> str:
    """Markdown: a row for each share and order."""
    heads = ["corrected", "order", "worlds", *VALUES.values()]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * 3 + " --: |" * len(VALUES)]
    for (share, order), cases in by_case(kept).items():
        shown = [_mean_of([case[key] for case in cases if key in case]) for key in VALUES]
        words = "-" if share in (0, 1) else WORDS[order]
        lines.append(f"| {100 * share:g} % | {words} | {len(cases)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _mean_of(values: Sequence[float]) -> str:
    if not values:
        return "-"
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def draw(kept: dict[str, dict[str, float]], out: Path) -> None:
    """Write the picture: label IoU, and the detector's AP, against the share."""
    cases = by_case(kept)
    with canvas(out, SIZE) as figure:
        axes = figure.subplots(1, 2)
        for axis, key in zip(axes, ("labels", "mask_ap"), strict=True):
            for order in ORDERS:
                ends = [(share, own) for share, own in cases if own == order or share in (0, 1)]
                means = [np.mean([case[key] for case in cases[end]]) for end in ends]
                shares = [100 * share for share, _ in ends]
                axis.plot(shares, means, marker="o", label=WORDS[order])
            axis.set_xlabel("% of the labels that a person has corrected")
            axis.set_ylabel(f"{VALUES[key]}, %")
            axis.set_ylim(bottom=0)  # differences of one training are mostly noise
            plain(axis, grid="y", shade="0.9")
        axes[0].legend(frameon=False, loc="lower right")


if __name__ == "__main__":
    main()
