"""fetch: one of the three official SAM weight files, by its name.

In comes the path where the file is wanted (`.../sam_vit_b_01ec64.pth`); the file comes from its
publisher, resumes after an interruption and is verified against its known sha256.
"""

from collections.abc import Sequence
from pathlib import Path

from stages.runtime.program import parser_of, run, say
from stages.segmenters.download import download
from stages.segmenters.official import OFFICIAL


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "fetch")
    parser.add_argument("--out", type=Path, required=True, help="path with an official file name")
    parser.add_argument("--url", help="another address of the same file, such as a mirror's")
    args = parser.parse_args(argv)
    known = OFFICIAL.get(args.out.name)
    if known is None:
        raise ValueError(f"{args.out}: its name is none of {', '.join(OFFICIAL)}.")
    if args.out.exists():
        say("fetch", f"{args.out} is already there.")
        return
    download(args.url or known.url, args.out, known.sha256)
    say("fetch", f"{args.out}: complete, checksum right.")


if __name__ == "__main__":
    run("fetch", main)
