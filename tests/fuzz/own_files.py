"""Files that Maskmill itself writes, each with what reads it; and how they are spoilt by chance."""

import io
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from stages.engines.results import is_whole, write_part
from stages.formats.exported import entries_of, label_counts
from stages.formats.pseudo_label_file import opened_labels
from stages.grading.grader_file import read_graders
from stages.learning.embedded_inputs import kept, packed
from stages.learning.model_file import load_model, save_model
from stages.planning.strangers import header_of
from stages.runtime.progress import Progress
from stages.scoring.training_facts import read_training
from stages.scoring.truth import read_results
from stages.tables.headers import KEY, ROWS
from stages.tables.one_image import rows_of_image
from stages.tables.record import Record
from stages.tables.streams import images_of_file
from stages.tables.table import read_table, rows_table, write_table
from tests.fuzz.spoiled_bytes import spoiled_bytes
from tests.fuzz.spoiled_trees import spoiled_json
from tests.unit.tables.test_faults import SOUND
from tests.written_labels import usual, write_labels

GRADER = Path(__file__).resolve().parents[2] / "workflow" / "resources" / "grader.json"
CHANNELS = 4
Read = Callable[[Path], object]
Spoil = Callable[[bytes, Random], bytes]


@dataclass(frozen=True, slots=True)
class Own:
    """A file of ours. data : a sound one. read : all that reads it. spoils : besides of bytes."""

    name: str
    data: bytes
    read: Read
    spoils: tuple[Spoil, ...] = ()

    def spoilt(self, rng: Random) -> bytes:
        """The file, changed by chance in one to three ways."""
        data = self.data
        for _ in range(rng.choice([1, 1, 2, 3])):
            how = rng.choice([spoiled_bytes, *self.spoils, *self.spoils])
            try:
                data = how(data, rng)
            except Exception:
                data = spoiled_bytes(data, rng)  # too spoilt already to be spoilt in this way
        return data


def own_files(folder: Path) -> list[Own]:
    """One of each, made in a folder."""
    tables = [_table(folder, record, rows) for record, rows in SOUND]
    labels = write_labels(folder, usual()).read_bytes()
    results = [{key: entry[key] for key in RESULT} for entry in usual()]
    write_part(folder / "part", [results], Progress("fuzz", 1))
    save_model(folder / "model", nn.Linear(3, 2), {"seed": 1, "categories": [{"id": 1}]})
    return [
        *tables,
        Own("pseudo-labels", labels, _read_labels, (spoiled_json, _lines)),
        Own("results", json.dumps(results).encode(), read_results, (spoiled_json,)),
        Own("part of results", (folder / "part").read_bytes(), is_whole, (_lines,)),
        Own("facts", json.dumps(FACTS).encode(), read_training, (spoiled_json,)),
        Own("grader", GRADER.read_bytes(), read_graders, (spoiled_json,)),
        Own("model", (folder / "model").read_bytes(), _read_model, (_state,)),
        Own("embedding", packed(torch.ones(CHANNELS, 3, 3)), lambda path: kept(path, CHANNELS)),
    ]


RESULT = ("image_id", "category_id", "bbox", "score", "segmentation")
FACTS = {
    **{"engine": "torchvision", "packages": {"torch": "2"}, "images": 3, "annotations": 5},
    **{"masks_ignored": 0, "steps": 7, "last_loss": 0.5},
}


def _table(folder: Path, record: Record, rows: list[dict[str, Any]]) -> Own:
    path = folder / record.name
    write_table(path, rows_table(record, rows), record, {"seed": 1, "shard": "0000-of-0001"})

    def read(spoilt: Path) -> None:
        """Every way in, since one may pass what another stumbles over."""
        header_of(spoilt)
        ways: list[Read] = [lambda at: read_table(at, record)]
        ways.append(lambda at: read_table(at, record, columns=record.key))
        if "image_id" in record.key:
            ways.append(lambda at: deque(images_of_file(at, record), 0))
            ways.append(lambda at: rows_of_image(at, record, 1))
        each(ways, spoilt)

    return Own(record.name, path.read_bytes(), read, (_value, _header))


def each(ways: list[Read], path: Path) -> None:
    """Read in every way; the last refusal is raised again when all have been tried."""
    refused = None
    for way in ways:
        try:
            way(path)
        except ValueError as error:
            _check(error, path)
            refused = error
    if refused:
        raise refused


def _check(error: ValueError, path: Path) -> None:
    if not str(error).startswith(f"{path}: ") or "\n" in str(error):
        raise AssertionError(f"no sentence that names its file: {error!r}") from error


def _read_labels(path: Path) -> None:
    each([label_counts, lambda at: deque(entries_of(at), 0), _opened, _read_head], path)


def _opened(path: Path) -> None:
    deque(opened_labels(path, "keep").by_image(), 0)


def _read_head(path: Path) -> None:
    header_of(path.rename(path.with_name("pseudo_labels.json")))
    path.with_name("pseudo_labels.json").rename(path)


def _read_model(path: Path) -> None:
    state, header = load_model(path)
    assert isinstance(header, dict)
    assert all(torch.isfinite(each).all() for each in state.values())


def _value(data: bytes, rng: Random) -> bytes:
    """Another value in a row of a column, or rows in another order, fewer, or twice."""
    table = pq.read_table(io.BytesIO(data))
    metadata = table.schema.metadata
    kind = rng.randrange(6)
    if kind == 0:
        table = table.take([rng.randrange(len(table)) for _ in range(rng.randrange(4))])
    else:
        place = rng.randrange(table.num_columns)
        field, values = table.schema.field(place), table.column(place).to_pylist()
        values[rng.randrange(len(values))] = rng.choice([*ODD_VALUES, *values])
        column = pa.array(values, type=field.type)
        table = table.set_column(place, field.with_nullable(True), column)
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer)
    return buffer.getvalue()


ODD_VALUES = [
    *(None, 0, -1, 1, 2**31 - 1, 2**63 - 1, 0.5, float("nan"), float("inf"), 1e300, "", "a", "\0"),
    *(b"", b"0", b"PPPPPPPPPPPP0", b"\xff", [], [1], [None], [0.0, 1.0, 2.0, 3.0], [b"1"], True),
]


def _header(data: bytes, rng: Random) -> bytes:
    """Another header, or another count of rows."""
    table = pq.read_table(io.BytesIO(data))
    texts = {name.decode(): text for name, text in (table.schema.metadata or {}).items()}
    if rng.random() < 0.2:
        texts[ROWS] = str(rng.randrange(-1, 4)).encode()
    else:
        texts[KEY] = spoiled_json(texts.get(KEY, b"{}"), rng)
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(texts), buffer)
    return buffer.getvalue()


def _lines(data: bytes, rng: Random) -> bytes:
    """A line gone, twice, elsewhere, or the rest gone."""
    lines = data.splitlines(keepends=True)
    place, kind = rng.randrange(len(lines)), rng.randrange(4)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(place, rng.choice(lines))
    elif kind == 2:
        del lines[place:]
    else:
        rng.shuffle(lines)
    return b"".join(lines)


def _state(data: bytes, rng: Random) -> bytes:
    """Another tensor, another header, or one of them gone."""
    saved = torch.load(io.BytesIO(data), weights_only=True)
    kind = rng.randrange(4)
    if kind == 0:
        name = rng.choice(sorted(saved["state"]))
        odd = [torch.full((2,), float("nan")), torch.zeros(0), "text", None, [1]]
        saved["state"][name] = rng.choice(odd)
    elif kind == 1:
        saved["header"] = spoiled_json(saved["header"].encode(), rng).decode("utf-8", "replace")
    elif kind == 2:
        saved.pop(rng.choice(sorted(saved)))
    else:
        saved = rng.choice([[], {}, None, 5, {"state": {}, "header": "{}"}])
    buffer = io.BytesIO()
    torch.save(saved, buffer)
    return buffer.getvalue()
