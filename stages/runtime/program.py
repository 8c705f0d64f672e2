"""What every program does alike: its command line, its exit code, its sentences.

A `ValueError` is the user's to mend: one sentence on stderr, exit 2. So is what the system refuses,
such as a file on a full disk. Anything else is ours and keeps its traceback, but for Ctrl-C
(`stages.runtime.stopping`).
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence

Sentence = str  # that people read and no result rests on: an edit of its function reruns nothing
KEPT = "finished work is kept, and the same command goes on."
MEND = "Mend that, and run the same command again."
SPACE = f"Free some space there; {KEPT}"
ALLOW = "Allow it, or name another place."
REMEDIES = {
    errno.ENOSPC: SPACE,
    errno.EDQUOT: SPACE,
    errno.EFBIG: f"Allow larger files there (ulimit -f, or the file system); {KEPT}",
    errno.EACCES: ALLOW,
    errno.EPERM: ALLOW,
    errno.EROFS: ALLOW,
    errno.ENAMETOOLONG: "Give it a shorter name.",
    errno.ELOOP: "Remove the links that lead to each other.",
    errno.EMFILE: "Allow more open files (ulimit -n).",
    errno.EIO: "The disk has a fault: read the system's log, and put the file elsewhere.",
    errno.EISDIR: "Remove or rename the folder that is in its place.",
    errno.ENOTDIR: "Remove or rename the file that is in the place of a folder.",
}
LONGEST_NAME = 300  # characters of a name in a sentence
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
    except MemoryError:
        say(name, "the memory is full. Give the job more, or lower its chunk or batch; " + KEPT)
        sys.exit(2)
    except OSError as error:
        if error.errno is None:  # of a library, not of the system
            raise
        say(name, refused_by_the_system(error))
        sys.exit(2)


def refused_by_the_system(error: OSError) -> Sentence:
    """One sentence about a file that cannot be read or written: which, why, what to do."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    where = f"{shown(names[0])}: " if names else ""
    reason = (error.strerror or os.strerror(error.errno or 0)).lower()
    return f"{where}{reason}. {REMEDIES.get(error.errno or 0, MEND)}"


def shown(name: object) -> Sentence:
    """A name for a sentence, which stays one line whatever a stranger's name holds."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(name))
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


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
