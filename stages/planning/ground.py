"""What the plans of all stages stand on. Standard library alone."""

from dataclasses import dataclass
from pathlib import Path

from stages.planning.comparison import Comparison
from stages.planning.digests import Digests
from stages.planning.homes import Homes
from stages.planning.lineage import Values, Variants
from stages.planning.sources import Salient, Split


@dataclass(frozen=True, slots=True)
class Ground:
    """What the plans of all stages stand on.

    config : of the run, complete. held_out : of the data set, for a detector. salient : images with
    the mask of their one object, or none. truth : the training annotations hold true masks.
    shards : names such as 0003-of-0128. root : the repository. corrections : file of what people
    have made of labels, or none.
    """

    root: Path
    config: Values
    variants: Variants
    homes: Homes
    comparison: Comparison
    train: Split
    held_out: tuple[Split, ...]
    salient: tuple[Salient, ...]
    truth: bool
    shards: tuple[str, ...]
    digests: Digests
    corrections: tuple[str, ...] = ()
