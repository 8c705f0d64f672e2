"""Where Arrow's tables lie: in memory that goes back to the system once they are gone."""

import os

VARIABLE = "ARROW_DEFAULT_MEMORY_POOL"  # read when pyarrow loads


def give_memory_back() -> None:
    """Have pyarrow take its memory from the system's allocator, if nobody has said otherwise.

    Its own keeps what row groups have left free: a shard of 5,000 images took a fifth more.
    """
    os.environ.setdefault(VARIABLE, "system")
