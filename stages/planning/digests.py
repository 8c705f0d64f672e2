"""One digest for each of the user's files that a stage reads, so that no result is stale.

The files are `ancient` inputs: their dates say nothing. What they hold goes into a rule's params.
The main process looks at the files, and only at those of jobs that it plans; a job that runs
elsewhere takes what the main process found. Standard library alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from stages.formats.format import FORMATS
from stages.planning.notes import add_notes, read_notes
from stages.planning.sources import Salient, Split, Weights
from stages.planning.watched import (
    Watch,
    digest_of_files,
    digest_of_photographs,
    names_of,
    sha256_of_file,
)
from stages.runtime.doors import opened
from stages.segmenters.published import IMAGENET, is_of

FOUND, STORE = "digests.json", "watched.json"  # below the folder of the run


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests of files, looked up once.

    folder : of the run, results/<run>. watch : content or stat, what is looked at.
    fresh : the files are looked at; False: what was found last counts, where there is any.
    """

    folder: Path
    watch: Watch
    fresh: bool = True
    known: dict[str, str] = field(default_factory=dict)

    def labels(self, split: Split) -> str:
        """Of all files that the labels are in."""
        key = f"{split.annotations} as {split.format} of {split.images}"
        return self._found(key, lambda: self._labels(split))

    def photographs(self, split: Split) -> str:
        """Of the photographs that an annotation file names, and of no others in their folder."""
        key = f"{split.images} of {split.annotations}"
        return self._found(key, lambda: self._photographs(split))

    def salient(self, salient: Salient) -> str:
        """Of all files in the folders of a salient set, and of the list of those that count."""
        key = f"{salient.images} with {salient.masks} and {salient.listed}"
        return self._found(key, lambda: self._salient(salient))

    def file(self, path: str) -> str:
        """Of a single file of the user's."""
        return self._found(path, lambda: self._files(path))

    def weights(self, weights: Weights) -> str:
        """Of a weight file: the checksum that the stages insist on, or what it holds."""
        if weights.sha256:
            return weights.sha256
        known = IMAGENET.get(Path(weights.path).name)
        if known:
            return self._found(weights.path, lambda: self._published(weights.path, known.sha256))
        return self._found(weights.path, lambda: self._files(weights.path))

    def _published(self, path: str, digits: str) -> str:
        """The digits that its name bears, of a file that has them or is still to be fetched."""
        seen = sha256_of_file(Path(path), store=self._store())
        return digits if seen is None or is_of(seen, digits) else self._files(path)

    def _labels(self, split: Split) -> str:
        source, images = Path(split.annotations), Path(split.images)
        files = opened(FORMATS[split.format].module).sources(source, images)
        return digest_of_files(files, base=source, store=self._store(), watch=self.watch)

    def _salient(self, salient: Salient) -> str:
        folders = [Path(salient.images), Path(salient.masks)]
        files = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
        files += [Path(salient.listed)] if salient.listed else []
        return digest_of_files(files, base=folders[0], store=self._store(), watch=self.watch)

    def _files(self, path: str) -> str:
        base = Path(path).parent
        return digest_of_files([Path(path)], base=base, store=self._store(), watch=self.watch)

    def _photographs(self, split: Split) -> str:
        source, images = Path(split.annotations), Path(split.images)
        names = names_of(source, images, self._store(), read=split.format)
        return digest_of_photographs(images, names, store=self._store(), watch=self.watch)

    def _store(self) -> Path:
        return self.folder / STORE

    def _found(self, key: str, look: Callable[[], str]) -> str:
        if key not in self.known and not self.fresh:
            self.known.update({**read_notes(self.folder / FOUND), **self.known})
        if key not in self.known:
            self.known[key] = look()
            if self.fresh:
                add_notes(self.folder / FOUND, self.known)
        return self.known[key]
