"""requirements.lock, from what pip would install: `make lock`. Standard library alone.

python workflow/lock.py report.json, where the report is that of `pip install --dry-run --report`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = """\
# Made by `make lock` of requirements.txt; sha256 sums as the index gives them, of the files for
# {python} on {system}. On another Python or platform, make it anew.
"""


def locked(report: Mapping[str, Any]) -> str:
    """The text of the lock file: a line for each package, by name.

    Raises
    ------
    ValueError : the index gave no sha256 of a file.
    """
    here = report["environment"]
    lines = sorted(_line(item) for item in report["install"])
    python = f"{here['implementation_name']} {here['python_version']}"
    system = f"{here['sys_platform']} {here['platform_machine']}"
    return HEAD.format(python=python, system=system) + "".join(lines)


def _line(item: Mapping[str, Any]) -> str:
    name, version = (item["metadata"][key] for key in ("name", "version"))
    digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
    if not digest:
        raise ValueError(f"{name} {version}: the index gives no sha256. Ask another index.")
    return f"{name.lower().replace('_', '-')}=={version} --hash=sha256:{digest}\n"


if __name__ == "__main__":
    print(locked(json.loads(Path(sys.argv[1]).read_text())), end="")
