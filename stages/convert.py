"""convert: pseudo-labels in another format, from the file that `export` has written.

In comes `pseudo_labels.json`, out goes a folder in one of the formats of `stages.formats.writer`,
whole or not at all. Neither the labels nor a detector is made anew for it. One line on the screen
says what was written and what the format cannot hold.
"""

from collections.abc import Sequence
from pathlib import Path

from stages.formats.pseudo_label_file import opened_labels
from stages.formats.writer import CATEGORY_IDS, KEEP, WRITERS, Counts, Writer
from stages.runtime.atomic import replacing_folder
from stages.runtime.doors import opened
from stages.runtime.program import Sentence, parser_of, run, say


def told(counts: Counts) -> Sentence:
    """What was written, in one line."""
    return ", ".join(f"{name} {value:,}" for name, value in counts.items())


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "convert")
    parser.add_argument("--labels", type=Path, required=True, help="pseudo_labels.json of export")
    parser.add_argument("--format", choices=list(WRITERS), required=True)
    parser.add_argument("--category-ids", choices=CATEGORY_IDS, default=KEEP, help="in COCO files")
    parser.add_argument("--out", type=Path, required=True, help="folder; what is there is replaced")
    args = parser.parse_args(argv)
    writer: Writer = opened(WRITERS[args.format].module)
    labels = opened_labels(args.labels, args.category_ids)
    with replacing_folder(args.out) as folder:
        counts = writer.write(labels, folder)
    text = f"{args.format}: {told(counts)}."
    print(f"convert: {text}", flush=True)
    say("convert", text)


if __name__ == "__main__":
    run("convert", main)
