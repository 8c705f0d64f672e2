"""The modules that the settings choose, so that an edit of a method reruns only who chose it.

Doors hold names of modules; here the plan reads which of them stand behind a stage. Standard
library alone.
"""

from collections.abc import Callable, Mapping

from stages.formats.format import FORMATS
from stages.learning.features import FEATURES, of_segmenter
from stages.methods.prompter import PROMPTERS
from stages.planning.lineage import Variants
from stages.settings.readers import asks_again

Chosen = Callable[[Variants, str], list[str]]


def modules_of(variants: Variants, name: str, stage: str, *, read: str = "coco") -> tuple[str, ...]:
    """Modules behind the doors that a stage of a variant opens; read: format of its labels."""
    if stage in ("prepare", "translate"):
        return (FORMATS[read].module,)
    found = BEHIND[stage](variants, name) if stage in BEHIND else []
    return tuple(dict.fromkeys(found))


def learned_on(variants: Variants, name: str, section: str) -> str | None:
    """Where the network of `select` or `refine` has its features from, if it has one."""
    learns = variants.method(name, section).fit
    source: str | None = variants.block(name, "select").get("features", {}).get("source")
    return source if learns else None


def _segmenter(variants: Variants, name: str) -> list[str]:
    return [variants.method(name, "propose").module]


def _prompters(variants: Variants, name: str) -> list[str]:
    sources = variants.settings(name, "prompt")["sources"]
    return [PROMPTERS[item["source"]].module for item in sources]


def _network(variants: Variants, name: str) -> list[str]:
    """The network that learns where to ask, and what it looks through."""
    features = variants.block(name, "fit_prompt").get("features") or {}
    of_features = [FEATURES[features["source"]].module] if features else []
    own = _segmenter(variants, name) if variants.seen_through(name) else []
    return [variants.method(name, "fit_prompt").module, *of_features, *own]


def _fit_prompt(variants: Variants, name: str) -> list[str]:
    return [variants.method(name, "fit_prompt").fit, *_network(variants, name)]


def _prompt(variants: Variants, name: str) -> list[str]:
    return [*_prompters(variants, name), *_network(variants, name)]


def _fit_propose(variants: Variants, name: str) -> list[str]:
    return [variants.method(name, "propose").fit]


def _propose(variants: Variants, name: str) -> list[str]:
    made_here = [] if variants.looks(name) else _prompters(variants, name)
    return [*_segmenter(variants, name), *made_here]


def _features(variants: Variants, name: str, section: str) -> list[str]:
    source = learned_on(variants, name, section)
    if source is None:
        return []
    path = variants.block(name, "select")["features"].get("path")
    own = _segmenter(variants, name) if of_segmenter(source, path) else []
    return [FEATURES[source].module, *own]


def _fit_select(variants: Variants, name: str) -> list[str]:
    with_it = [variants.method(name, "refine").joint] if variants.is_joint(name) else []
    return [variants.method(name, "select").fit, *with_it, *_features(variants, name, "select")]


def _select(variants: Variants, name: str) -> list[str]:
    return [variants.method(name, "select").module, *_features(variants, name, "select")]


def _fit_refine(variants: Variants, name: str) -> list[str]:
    method = variants.method(name, "refine")
    teacher = _segmenter(variants, name) if method.teacher else []
    return [method.fit, *_features(variants, name, "refine"), *teacher]


def _refine(variants: Variants, name: str) -> list[str]:
    method = variants.method(name, "refine")
    asks = method.teacher or asks_again(variants.settings(name, "refine"))
    again = _segmenter(variants, name) if asks else []
    return [method.module, *_features(variants, name, "refine"), *again]


BEHIND: Mapping[str, Chosen] = {
    "fit_prompt": _fit_prompt,
    "prompt": _prompt,
    "fit_propose": _fit_propose,
    "propose": _propose,
    "fit_select": _fit_select,
    "select": _select,
    "fit_refine": _fit_refine,
    "refine": _refine,
}
