"""Names of shards, such as 0003-of-0128. Standard library alone, since the Snakefile deals them."""

import re

NAME = re.compile(r"\d{4,9}-of-\d{4,9}")


def is_shard_name(name: str) -> bool:
    """Whether a text is the name of a shard."""
    return bool(NAME.fullmatch(name))


def shard_names(count: int) -> tuple[str, ...]:
    """Names of `count` shards: 0000-of-0002, 0001-of-0002."""
    return tuple(f"{number:04d}-of-{count:04d}" for number in range(count))


def shard_number(name: str) -> int:
    """Number of a shard, from 0, out of its name."""
    return int(name.split("-")[0])
