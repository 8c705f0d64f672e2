"""fetch: a published weight file, by its name: SAM's, or one that a network starts from.

In comes the path where the file is wanted (`.../sam_vit_b_01ec64.pth`); the file comes from its
publisher, resumes after an interruption and is verified against its sha256, or against the first
digits of it that its name bears (`stages.segmenters.published`). It is written below the working
folder, or nowhere.
"""

from collections.abc import Sequence
from pathlib import Path

from stages.runtime.program import parser_of, run, say
from stages.segmenters.download import download
from stages.segmenters.published import MOST, PUBLISHED, refuse_outside


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "fetch")
    parser.add_argument("--out", type=Path, required=True, help="path with a published file name")
    parser.add_argument("--url", help="another address of the same file, such as a mirror's")
    args = parser.parse_args(argv)
    known = PUBLISHED.get(args.out.name)
    if known is None:
        raise ValueError(f"{args.out}: its name is none of {', '.join(PUBLISHED)}.")
    if args.out.exists():
        say("fetch", f"{args.out} is already there.")
        return
    refuse_outside(str(args.out))
    download(args.url or known.url, args.out, known.sha256, most=MOST[known.model])
    say("fetch", f"{args.out}: complete, checksum right.")


if __name__ == "__main__":
    run("fetch", main)
