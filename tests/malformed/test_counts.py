"""How many malformed inputs there are, by kind; printed with `-s`."""

from collections import Counter

import pytest

from tests.malformed import test_configs, test_full_disk, test_photographs
from tests.malformed.cases import CASES, OTHER_SEED, OTHER_SHARD

pytestmark = pytest.mark.long


def test_the_cases_are_many_and_none_is_there_twice() -> None:
    counts = Counter(case.kind for case in CASES)
    counts["photograph"] = len(test_photographs.CASES)
    counts["config"] = len(test_configs.KEYS)
    counts["recipe"] = len(test_configs.RECIPES)
    counts["full disk"] = 2 * len(test_full_disk.WRITERS) + len(test_full_disk.ON_A_SMALL_DISK)
    print(*(f"{kind:16}{count:5}" for kind, count in sorted(counts.items())), sep="\n")
    print(f"{'in all':16}{counts.total():5}")
    assert counts.total() > 400
    assert len({case.name for case in CASES}) == len(CASES)
    assert {OTHER_SEED, OTHER_SHARD} <= {case.spoil for case in CASES}
