"""A segmenter's answers, kept from run to run: an image is embedded once, whatever else changes.

They lie in `results/<run>/answers/`, which no rule declares, since Snakemake deletes what is
declared before it runs a job. One file per image, in a folder named by the first two digits of its
address: a digest of all that the answers depend on, rows' ids included. What a shard has used is
listed in `lists/<stage's folder>/shard-S.txt`, so that `stages.tidy` knows what nobody uses. While
a shard is in work, its list grows under the name `.partial`: an address is noted before its file is
written.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from stages.runtime.atomic import write_text
from stages.runtime.program import say
from stages.tables.headers import read_header
from stages.tables.record import Record
from stages.tables.table import read_table, write_table

DIGITS = 32  # of an address, hexadecimal
LISTS = "lists"
PARTIAL = ".partial"  # behind the name of a list that still grows
OF_IMAGE = ("image_id", "digest", "height", "width", "orientation")  # that answers depend on
UNREADABLE = (ValueError, OSError, KeyError, pa.ArrowException)


def address_of(facts: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Where an answer lies that depends on `facts` and `parts`, JSON-able both: 32 digits."""
    text = json.dumps([facts, parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def list_path(folder: Path, out: Path) -> Path:
    """The list of a shard's answers.

    Parameters
    ----------
    folder : of the answers, `results/<run>/answers`. out : the shard's file, below `results/<run>`.

    Raises
    ------
    ValueError : `out` lies elsewhere.
    """
    run = folder.absolute().parent
    if not out.absolute().is_relative_to(run):
        raise ValueError(
            f"--answers {folder}: the answers of {out} must lie beside it, in the folder of its "
            "run. Give --answers as results/<run>/answers, or an output below the same folder."
        )
    return folder / LISTS / out.absolute().relative_to(run).with_suffix(".txt")


class Kept:
    """The answers that one shard uses, from disk where they are there; threads may share it.

    Parameters
    ----------
    folder : of the answers. out : file of the shard that uses them.
    record : of the answers' tables. facts : JSON-able; what all the answers depend on.

    Attributes
    ----------
    asked, found : how many answers were computed, and how many were there before.
    """

    def __init__(self, folder: Path, out: Path, record: Record, facts: Mapping[str, Any]):
        self.folder, self.record, self.facts = folder, record, dict(facts)
        self.list = list_path(folder, out)
        self.partial = self.list.with_name(self.list.name + PARTIAL)
        self.asked = self.found = 0
        self._counting = Lock()

    def of(self, parts: Mapping[str, Any], compute: Callable[[], pa.Table]) -> pa.Table:
        """The answers about one image.

        Parameters
        ----------
        parts : JSON-able; all that these answers depend on beside the facts: the photograph's
            digest, ids of the rows, what is asked.
        compute : asks; its table has the columns of `record`.
        """
        address = address_of(self.facts, parts)
        self._note(address)
        path = self.folder / address[:2] / f"{address}.parquet"
        table = self._read(path, address)
        if table is not None:
            with self._counting:
                self.found += 1
            return table
        table = compute()
        with self._counting:
            self.asked += 1
        self._write(path, table, address)
        return table

    def finish(self) -> None:
        """Write the list of what was used, here and in an interrupted run before."""
        used = self.partial.read_text().split() if self.partial.exists() else []
        write_text(self.list, "".join(f"{address}\n" for address in sorted(set(used))))
        self.partial.unlink(missing_ok=True)

    def _note(self, address: str) -> None:
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        with self.partial.open("a") as file:
            file.write(f"{address}\n")

    def _read(self, path: Path, address: str) -> pa.Table | None:
        if not path.is_file():
            return None
        try:
            if read_header(path).get("address") == address:
                return read_table(path, self.record)
            fault = "of another address"
        except UNREADABLE as error:
            fault = f"damaged ({error})"
        say("answers", f"{path}: {fault}, so the segmenter is asked again.")
        return None

    def _write(self, path: Path, table: pa.Table, address: str) -> None:
        """Two jobs may ask the same at once: each writes a file of its own, and the last stays."""
        own = path.with_name(f"{address}-{uuid.uuid4().hex}.parquet")
        try:
            write_table(own, table, self.record, {"address": address})
            own.replace(path)
        finally:
            own.unlink(missing_ok=True)
