"""What every program does alike: its command line, its exit code, its sentences.

A `ValueError` is the user's to mend: one sentence on stderr, exit 2. Anything else is ours and
keeps its traceback, but for Ctrl-C (`stages.runtime.stopping`).
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

Sentence = str  # that people read and no result rests on: an edit of its function reruns nothing
WIPE = "\r\x1b[K"  # what stands in the last line of a terminal: a bar that moves


def run(name: str, main: Callable[[Sequence[str] | None], None]) -> None:
    """Call `main` with the command line; a ValueError becomes one sentence and exit code 2."""
    try:
        main(None)
    except ValueError as error:
        say(name, str(error))
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser_of(module_doc: str | None, name: str) -> argparse.ArgumentParser:
    """An argument parser that shows the module's docstring as help."""
    return argparse.ArgumentParser(
        prog=f"python -m stages.{name}",
        description=module_doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def say(name: str, text: str) -> None:
    """One sentence on stderr, for the log; on a terminal in place of a bar that moves."""
    print(f"{WIPE if sys.stderr.isatty() else ''}{name}: {text}", file=sys.stderr, flush=True)
