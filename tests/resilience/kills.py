"""Runs that are killed at random moments, again and again, until they end: are the bytes the same?

`make kills`, or: python -m tests.resilience.kills --kills 200 --seed 0 --work FOLDER
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interrupted import heed_ctrl_c
from tests.resilience.recipes import runs
from tests.workflow.workspace import ROOT, Workspace, new_workspace

ASSASSIN = Path(__file__).with_name("assassin.py")
JOB, RUN, ALONE = "job", "run", "snakemake"
BY = [  # signal, and whom it reaches: a job, all of the run as at a terminal, or Snakemake alone
    *[("SIGKILL", JOB)] * 6,
    *[("SIGTERM", JOB)] * 3,
    *[("SIGHUP", JOB)] * 2,
    *[("SIGINT", JOB), ("SIGINT", RUN)],
    *[("SIGKILL", RUN), ("SIGTERM", RUN), ("SIGHUP", RUN)],
    *[("SIGKILL", ALONE), ("SIGTERM", ALONE), ("SIGHUP", ALONE)],
]
COMMAND = (sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "mine.yaml")
SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
TRIES = 60  # of one run, until it has to have ended
PATIENCE = 20  # s until the last job of a run has ended that was killed
UNTOLD = ("logs", "benchmarks", "lists", "embeddings")  # folders, and files: of how and when it ran
NOT_BYTES = ("watched.json", "photographs.json", "index.html")  # dates of files; seconds of stages
UNREAD = re.compile(r"\.tmp$|-[0-9a-f]{32}\.parquet$")  # answers that were being written
STAGES = {path.stem for path in (ROOT / "stages").glob("*.py")} | {"partworld"}
FOLDERS = {"predict_held_out": "predict", "partworld.dataset": "partworld"}


@dataclass(frozen=True, slots=True)
class Life:
    """One run from nothing to its end.

    kills : of each, what `assassin.py` has written. starts : of Snakemake. texts : what each
    printed. equal : by file whether it has the bytes of the undisturbed run.
    """

    kills: list[dict[str, Any]]
    starts: int
    texts: list[str]
    equal: dict[str, bool]


def attempt(workspace: Workspace, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and words of Snakemake, whose own death does not wait for what it leaves behind."""
    said = workspace.folder / "said.txt"
    with said.open("w") as file:
        done = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=workspace.folder,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=heed_ctrl_c,
        ).wait(600)
    until = time.monotonic() + PATIENCE
    while left := _jobs_in(workspace.folder):
        assert time.monotonic() < until, f"these jobs outlive their run: {left}"
        time.sleep(0.1)
    return done, said.read_text()


def _jobs_in(folder: Path) -> list[int]:
    """Pids of the programs that run in a workspace."""
    found = list[int]()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").resolve() == folder.resolve()
            ours = b"stages." in (process / "cmdline").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if here and ours:
            found.append(int(process.name))
    return found


def undisturbed(folder: Path, settings: Mapping[str, Any]) -> Workspace:
    """A finished run, whose jobs are counted in `<folder>/kills`."""
    workspace = new_workspace(folder / "undisturbed")
    workspace.configure(settings)
    shutil.copy(ASSASSIN, workspace.folder / "sitecustomize.py")
    (folder / "kills").mkdir()
    code, text = attempt(workspace, KILLS=str(folder / "kills"), KILLS_EACH="0")
    assert code == 0, text
    return workspace


def killed(folder: Path, settings: Mapping[str, Any], *, each: int, seed: int, most: int) -> Life:
    """The same run, killed until `most` kills are done or each job has had its own.

    Parameters
    ----------
    folder : where `undisturbed` was. each : kills of one job at most.
    """
    workspace = new_workspace(folder / f"killed-{seed}")
    workspace.configure(settings)
    shutil.copy(ASSASSIN, workspace.folder / "sitecustomize.py")
    done, texts = 1, list[str]()
    environment = {
        **{"KILLS": str(folder / "kills"), "KILLS_SEED": str(seed), "KILLS_BY": json.dumps(BY)},
        **{"KILLS_EACH": str(each), "KILLS_MOST": str(most)},
    }
    for kill in (folder / "kills").glob("*.kill"):
        kill.unlink()
    while done and len(texts) < TRIES:
        done, text = attempt(workspace, "--retries", "3", **environment)
        texts.append(text)
        (workspace.folder / f"said-{len(texts)}.txt").write_text(f"{text}\nexit {done}\n")
    assert done == 0, texts[-1]
    kills = [json.loads(path.read_text()) for path in (folder / "kills").glob("*.kill")]
    wanted, seen = contents(folder / "undisturbed"), contents(workspace.folder)
    equal = {path: wanted.get(path) == seen.get(path) for path in wanted | seen}
    return Life(kills, len(texts), texts, equal)


def contents(folder: Path) -> dict[str, str]:
    """Digests of all that a run has written, but for when and how fast."""
    workspace = Workspace(folder)
    places = {path.name for path in workspace.results().rglob("*") if path.is_dir()}
    found = workspace.digests(*places - set(UNTOLD))
    return {
        path: digest
        for path, digest in found.items()
        if not set(Path(path).parts) & set(UNTOLD)
        and Path(path).name not in NOT_BYTES
        and not UNREAD.search(path)
    }


def table(lives: Mapping[str, Life]) -> str:
    """Markdown: kills of each stage by signal, and how many of its files have the same bytes."""
    kills = [kill for life in lives.values() for kill in life.kills]
    stages = sorted({kill["stage"] for kill in kills})
    head = ["stage", "kills", *SIGNALS, "files", "equal bytes"]
    rows = [_row(stage, kills, lives.values()) for stage in stages]
    total = Counter(kill["signal"] for kill in kills)
    every = [same for life in lives.values() for same in life.equal.values()]
    rows.append(["all", len(kills), *(total[name] for name in SIGNALS), len(every), sum(every)])
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _row(stage: str, kills: Sequence[Mapping[str, Any]], lives: Any) -> list[Any]:
    signals = Counter(kill["signal"] for kill in kills if kill["stage"] == stage)
    wanted = FOLDERS.get(stage, stage)
    equal = [
        same for life in lives for path, same in life.equal.items() if _folder_of(path) == wanted
    ]
    return [stage, signals.total(), *(signals[name] for name in SIGNALS), len(equal), sum(equal)]


def _folder_of(path: str) -> str:
    """The folder of a stage that a file lies in: partworld for partworld/train/images/0.png."""
    return next((part for part in Path(path).parts if part in STAGES), "")


def main() -> None:
    """Kill runs of all recipes by turns until enough kills are done; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=3, help="kills of one job at most")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder")
    parser.add_argument("--only", nargs="*", default=list(runs()))
    args = parser.parse_args()
    began, lives, seed = time.monotonic(), dict[str, Life](), args.seed
    for name in args.only:
        undisturbed(args.work / name, runs()[name])
    while (left := args.kills - sum(len(life.kills) for life in lives.values())) > 0:
        for name in args.only:
            life = killed(args.work / name, runs()[name], each=args.each, seed=seed, most=left)
            lives[f"{name} {seed}"] = life
            wrong = [path for path, same in life.equal.items() if not same]
            seconds = time.monotonic() - began
            print(
                f"{name}: {len(life.kills)} kills, {life.starts} starts, {seconds:.0f} s",
                flush=True,
            )
            print("".join(f"  differs: {path}\n" for path in wrong), end="", flush=True)
            left -= len(life.kills)
            if left <= 0:
                break
        seed += 1
    print(table(lives))
    ways = Counter(kill["way"] for life in lives.values() for kill in life.kills)
    who = Counter(kill["who"] for life in lives.values() for kill in life.kills)
    print(f"\nMoments: {dict(ways)}. Whom the signal reached: {dict(who)}.")
    sys.exit(not all(same for life in lives.values() for same in life.equal.values()))


if __name__ == "__main__":
    main()
