"""The config as a run would have it, or what is wrong with it; and which packages it asks for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stages.checkup.finding import Finding
from stages.runtime.doors import opened

Values = Mapping[str, Any]


def judged_config(root: Path, paths: Iterable[Path]) -> "dict[str, Any] | Finding":
    """config.yaml with the files over it, judged and with its variant; a finding where it fails.

    Parameters
    ----------
    root : the repository. paths : as --configfile has them, later ones over earlier ones.
    """
    try:
        yaml, judge = opened("yaml"), opened("stages.settings.judge")
        overrides, recipes = opened("stages.settings.overrides"), opened("stages.settings.recipes")
    except ImportError as error:
        return Finding(
            "missing", "config", f"not judged: {error}", "pip install -r requirements.txt"
        )
    values: dict[str, Any] = {}
    told = root / "config.yaml"
    try:
        for told in (root / "config.yaml", *paths):
            with told.open(encoding="utf-8") as file:
                values = overrides.laid_over(values, yaml.safe_load(file) or {})
        whole = judge.judged(recipes.with_recipes(values, root))
        found: dict[str, Any] = overrides.variant_config(whole, whole["variant"])
    except OSError as error:
        return Finding("missing", "config", f"{told}: {error.strerror}", f"ls {told.parent}")
    except (ValueError, AttributeError, yaml.YAMLError) as error:
        return Finding("wrong", "config", " ".join(str(error).split()), "correct the keys it names")
    return found


def packages_of(config: Values) -> set[str]:
    """The optional packages that a config asks for."""
    select, looking = config["select"], config["fit_prompt"]
    sources = [
        config["propose"]["segmenter"],
        *(
            ((section.get(section[key]) or {}).get("features") or {}).get("source")
            for section, key in ((select, "method"), (looking, "network"))
        ),
    ]
    train, backend = config["train"], config["evaluate"]["backend"]
    return {
        *(["transformers"] if "transformers" in sources else []),
        *(["detectron2"] if train["enabled"] and train["engine"] == "detectron2" else []),
        *(["faster-coco-eval"] if backend == "faster_coco_eval" else []),
    }
