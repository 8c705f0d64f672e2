"""What Snakemake cannot work with: where the repository lies, where its results would go."""

from pathlib import Path


def refuse_clone(root: Path) -> None:
    """Refuse a repository in a folder with braces.

    Raises
    ------
    ValueError : there are braces; Snakemake formats the paths of conda files, with no way out.
    """
    if set(str(root)) & set("{}"):
        raise ValueError(f"{root}: Snakemake misreads braces here. Move the clone elsewhere.")


def refuse_prefix(results: str) -> None:
    """Refuse the prefixes of a `module:`, which would move what the rules name and nothing else.

    Parameters
    ----------
    results : what Snakemake makes of the path `results/`.

    Raises
    ------
    ValueError : something else.
    """
    if results != "results/":
        raise ValueError(
            "module: prefix and replace_prefix are not supported, since planning notes what it "
            f"found below results/ and not {results}; tell runs apart by the key `run`."
        )
