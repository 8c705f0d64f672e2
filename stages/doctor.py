"""doctor: what will fail on this machine, and what to type to mend it.

In come a config, as Snakemake gets it, and this machine; out goes a line for each check: versions,
cores, memory and cards, weight files with their checksums, the data, the folder of the results.
The exit code is 0 where nothing will fail, else 1. Nothing is made, and no package has to be there.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.checkup.configured import judged_config, packages_of
from stages.checkup.files import (
    data_found,
    named_data,
    named_weights,
    shipped_weights,
    weights_found,
)
from stages.checkup.finding import Finding, closing, line_of
from stages.checkup.folders import folders_found
from stages.checkup.machine import machine_found
from stages.checkup.packages import optional_found, packages_found, pins_in, python_found
from stages.runtime.program import parser_of, run

ROOT = Path(__file__).resolve().parents[1]


def findings(config: Mapping[str, Any] | Finding, root: Path) -> Iterator[Finding]:
    """All checks, one after the other.

    Parameters
    ----------
    config : judged, or what is wrong with it; then what depends on it is left out.
    """
    known: Mapping[str, Any] = {} if isinstance(config, Finding) else config
    yield python_found()
    yield from packages_found(pins_in(root / "requirements.txt"))
    pins = pins_in(root / "requirements-dev.txt")
    yield from optional_found(packages_of(known) if known else (), pins)
    yield from machine_found(known.get("device", "cpu"), known.get("threads", 1))
    yield from folders_found(Path("results"))
    yield weights_found(shipped_weights(), root)
    yield config if isinstance(config, Finding) else Finding("ok", "config", "sound")
    if known:
        yield from (weights_found(named, root) for named in named_weights(known))
        yield from (data_found(named) for named in named_data(known))


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "doctor")
    parser.add_argument("--configfile", type=Path, nargs="*", default=[], help="as for snakemake")
    args = parser.parse_args(argv)
    found = []
    for finding in findings(judged_config(ROOT, args.configfile), ROOT):
        found.append(finding)
        print(line_of(finding), flush=True)
    print(closing(found))
    sys.exit(any(finding.fails for finding in found))


if __name__ == "__main__":
    run("doctor", main)
