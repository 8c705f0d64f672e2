"""What is printed of the events of a run, as Snakemake logs them."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.logging import ColorizingTextHandler, logger
from snakemake_interface_logger_plugins.common import LogEvent

from stages.planning.run_lines import SNAKEMAKES, SPOKEN, RunLines, attached
from stages.runtime.stopping import STOPPED

PLAIN = {"quiet": None, "verbose": False, "printshellcmds": False, "debug_dag": False}
FAULT = "select: image 7: no proposals."


@pytest.fixture
def snakemakes() -> Iterator[logging.Logger]:
    """Snakemake's logger with its handler of the terminal, and Ctrl-C as it was."""
    handlers, level, ending = logger.handlers[:], logger.level, signal.getsignal(signal.SIGINT)
    spoken = ColorizingTextHandler()
    spoken.name = SPOKEN
    logger.handlers[:] = [spoken]
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)
    signal.signal(signal.SIGINT, ending)


def _told(
    event: LogEvent, level: int = logging.INFO, text: str | None = None, **facts: Any
) -> None:
    logger.log(level, text, extra={"event": event, **facts})


def _begin_run() -> None:
    _told(LogEvent.WORKFLOW_STARTED, text="Workflow has started!")
    logger.info("Building DAG of jobs...")
    _told(LogEvent.RUN_INFO, text="Job stats", stats={"all": 1, "select": 2, "total": 3})


def _begin(number: int, folder: Path) -> None:
    values = {"home": "tiny", "shard": f"{number:04d}-of-0002"}
    log = [str(folder / f"{number}.log")]
    facts = {"rule_name": "select", "wildcards": values, "log": log, "benchmark": None}
    _told(LogEvent.JOB_INFO, jobid=number, **facts)


def _fail(number: int, folder: Path, log: str = f"{FAULT}\n") -> None:
    (folder / f"{number}.log").write_text(log)
    facts = {"jobid": number, "rule_name": "select", "log": [str(folder / f"{number}.log")]}
    logger.error("RuleException:\nCalledProcessError in file: select.smk", extra={"event": "error"})
    _told(LogEvent.JOB_ERROR, logging.ERROR, "Error in rule select", **facts)


def _attached(**asked: Any) -> RunLines:
    return attached(SimpleNamespace(**{**PLAIN, **asked}), wanted=True)


def test_the_logger_is_snakemakes() -> None:
    assert logger is logging.getLogger(SNAKEMAKES)


def test_a_run_is_an_opening_and_a_line_for_each_job(
    snakemakes: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _attached()
    _begin_run()
    for number in (0, 1):
        _begin(number, tmp_path)
        _told(LogEvent.JOB_FINISHED, job_id=number)
        _told(LogEvent.PROGRESS, done=number + 1, total=3)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "maskmill: 2 jobs: select 2."
    assert [line.split("  ")[0] for line in told[1:]] == ["1/2 select", "2/2 select"]
    assert lines.closing([]) == []


def test_what_failed_is_said_at_once_and_again_last(
    snakemakes: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _attached()
    _begin_run()
    _begin(0, tmp_path)
    _fail(0, tmp_path)
    failed = [f"failed: select tiny 0000-of-0002 ({tmp_path / '0.log'})", f"    {FAULT}"]
    assert capsys.readouterr().err.splitlines()[1:] == failed
    heading, *again = lines.closing(["all.log"])
    assert heading.startswith("maskmill: 0 of 2 jobs are done, 1 failed. ")
    assert heading.endswith("All that Snakemake said: all.log")
    assert again == failed


def test_a_job_that_is_tried_again_and_ends_well_has_not_failed(
    snakemakes: logging.Logger, tmp_path: Path
) -> None:
    lines = _attached()
    _begin_run()
    _begin(0, tmp_path)
    _fail(0, tmp_path)
    _begin(0, tmp_path)
    _told(LogEvent.JOB_FINISHED, job_id=0)
    assert lines.closing([]) == []


def test_after_ctrl_c_jobs_have_stopped_and_not_failed(
    snakemakes: logging.Logger, tmp_path: Path
) -> None:
    lines = _attached()
    _begin_run()
    _begin(0, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    _fail(0, tmp_path, log="")
    assert lines.closing([]) == [f"maskmill: 0 of 2 jobs are done; {STOPPED}"]


def test_a_job_that_says_that_it_was_stopped_has_not_failed(
    snakemakes: logging.Logger, tmp_path: Path
) -> None:
    lines = _attached()
    _begin_run()
    _begin(0, tmp_path)
    _fail(0, tmp_path, log=f"select: {STOPPED}\n")
    assert lines.failed == {}


def test_what_no_line_stands_for_is_printed_by_snakemake(
    snakemakes: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _attached()
    words = [
        "Nothing to be done",
        "Creating conda environment a.yaml...",
        "Trying to restart job 3.",
    ]
    for text in words:
        assert lines.lets_pass(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))
    error = {"msg": "MissingInputException in rule a", "levelno": logging.ERROR, "event": "error"}
    assert lines.lets_pass(logging.makeLogRecord(error))


@pytest.mark.parametrize("asked", ["quiet", "verbose", "printshellcmds", "debug_dag"])
def test_who_asks_snakemake_for_something_gets_snakemakes_lines(
    asked: str, snakemakes: logging.Logger
) -> None:
    _attached(**{asked: True})
    attached(SimpleNamespace(**PLAIN), wanted=False)
    assert [handler.name for handler in snakemakes.handlers] == [SPOKEN]
    assert not snakemakes.handlers[0].filters


def test_a_logger_plugin_keeps_the_terminal(snakemakes: logging.Logger) -> None:
    snakemakes.handlers.clear()
    _attached()
    assert snakemakes.handlers == []
