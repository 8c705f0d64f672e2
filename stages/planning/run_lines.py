"""One line for each job instead of Snakemake's ten, while a run goes on.

A handler beside Snakemake's own one on its logger: it hears the same events, prints their lines,
and keeps the other handler from saying the same at length. Snakemake's log file has all of it, and
so has the terminal with `--printshellcmds`, `--verbose`, `--quiet` or a logger plugin. Jobs write
nothing themselves, so lines are the same on a cluster. Standard library alone.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stages.planning.bottom_line import BottomLine
from stages.planning.job_lines import SPEAKING, TARGETS, Job, job_of, left, opening
from stages.runtime.program import Sentence, say
from stages.runtime.stopping import STOPPED

SNAKEMAKES = "snakemake.logging"  # the logger
SPOKEN = "DefaultStreamHandler"  # the name of what prints on the terminal
TOLD = frozenset(  # events that our lines stand for
    {
        *("workflow_started", "run_info", "resources_info", "shellcmd", "progress"),
        *("job_info", "job_started", "job_finished", "job_error", "group_info", "group_error"),
    }
)
NOISE = (
    *("Building DAG of jobs", "Using shell", "Conda environments: ignored", "Group jobs: inactive"),
    *("Singularity containers: ignored", "Select jobs to execute", "Complete log(s)"),
    *("Removing output files of failed job", "Elapsed time", "Shutting down"),
    *("Exiting because a job execution failed", "Terminating processes on user request"),
)
REPEATED = ("CalledProcessError", "At least one job did not complete successfully")
GRACE = 0.5  # s: of a job that ends without a word, Ctrl-C may have been the cause


class RunLines(logging.Handler):
    """What is heard of a run, job by job; silent until `attached`."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.began = time.monotonic()
        self.total = self.finished = 0
        self.stopped = False
        self.running = dict[int, Job]()
        self.failed = dict[int, Sequence[Sentence]]()
        self.bottom = BottomLine(self.doing)

    def emit(self, record: logging.LogRecord) -> None:
        """Hear one event of Snakemake's."""
        try:
            self._hear(str(getattr(record, "event", None)), record)
        except Exception:
            self.handleError(record)

    def lets_pass(self, record: logging.LogRecord) -> bool:
        """Whether Snakemake's own handler prints this; makes place for it."""
        if is_news(record):
            self.bottom.wipe()
            return True
        return False

    def doing(self) -> Sentence:
        """How far the run is, and what its jobs do; empty while one may print itself."""
        running = list(self.running.values())
        if self.stopped or any(job.rule in SPEAKING for job in running):
            return ""
        rest = left(self.finished, self.total, time.monotonic() - self.began)
        head = f"{self.finished}/{self.total} jobs{rest and f', {rest}'}"
        return "  |  ".join([head, *(job.doing() for job in running)])

    def closing(self, logs: Sequence[str]) -> list[Sentence]:
        """What a run says that ends before all is done; the last thing are the failed jobs' words.

        Parameters
        ----------
        logs : the files in which Snakemake has written all that it said.
        """
        failed = [line for lines in self.failed.values() for line in lines]
        done = f"maskmill: {self.finished} of {self.total} jobs are done"
        if self.stopped:
            return [*failed, f"{done}; {STOPPED}"]
        if not failed:
            return []
        whole = "".join(f" All that Snakemake said: {log}" for log in logs)
        kept = "Finished work is kept; once that is mended, the same command goes on."
        return [f"{done}, {len(self.failed)} failed. {kept}{whole}", *failed]

    def close_run(self, logs: Sequence[str]) -> None:
        """Print the closing."""
        self.bottom.end()
        _print(self.closing(logs))

    def stop(self, number: int, frame: Any) -> None:
        """Ctrl-C: what ends from now on has not failed."""
        self.stopped = True
        signal.default_int_handler(number, frame)

    def _hear(self, event: str, record: Any) -> None:
        if event == "run_info":
            self._begin(record.stats)
        elif event == "job_info" and record.rule_name not in TARGETS:
            values, logs = dict(record.wildcards or {}), record.log
            now = time.monotonic()
            job = job_of(record.rule_name, values, logs, benchmark=record.benchmark, began=now)
            self.running[record.jobid] = job
        elif event == "job_finished" and record.job_id in self.running:
            self._finish(record.job_id)
        elif event == "job_error" and record.jobid in self.running:
            self._fail(record.jobid, record.log)

    def _begin(self, stats: dict[str, int]) -> None:
        counts = {rule: n for rule, n in stats.items() if rule not in {*TARGETS, "total"}}
        self.total, self.began = sum(counts.values()), time.monotonic()
        if counts:
            say("maskmill", opening(counts))
            self.bottom.start()

    def _finish(self, number: int) -> None:
        now = time.monotonic()
        self.finished += 1
        self.failed.pop(number, None)  # it was tried again
        count = f"{self.finished:>{len(str(self.total))}}/{self.total}"
        rest = left(self.finished, self.total, now - self.began)
        self.bottom.wipe()
        _print([f"{count} {self.running.pop(number).done(now)}  {rest}".rstrip()])

    def _fail(self, number: int, logs: Sequence[str]) -> None:
        job = replace(self.running.pop(number), logs=tuple(map(Path, logs)))
        if job.is_silent() and not self.stopped:
            time.sleep(GRACE)
        if not (self.stopped or job.is_stopped()):
            self.failed[number] = job.failed()
            self.bottom.wipe()
            _print(self.failed[number])


def attached(output: Any, *, wanted: bool) -> RunLines:
    """The lines of this run, on Snakemake's logger where they are wanted.

    Parameters
    ----------
    output : Snakemake's settings of what it prints; who has asked it for something gets that.
    wanted : False for a dry run, for a job of a run, and for a module of another's workflow.
    """
    lines, logger = RunLines(), logging.getLogger(SNAKEMAKES)
    spoken = next((handler for handler in logger.handlers if handler.name == SPOKEN), None)
    asked = output.quiet or output.verbose or output.printshellcmds or output.debug_dag
    if wanted and spoken and not asked:
        spoken.addFilter(lines.lets_pass)
        logger.addHandler(lines)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, lines.stop)
    return lines


def is_news(record: logging.LogRecord) -> bool:
    """Whether no line of ours stands for what Snakemake says."""
    text = str(record.msg)
    repeated = record.levelno >= logging.ERROR and any(words in text for words in REPEATED)
    told = str(getattr(record, "event", None)) in TOLD
    return not (told or repeated or text.startswith(NOISE))


def _print(lines: Sequence[Sentence]) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)
