"""Keys and values of edition 1, and what they are called now."""

from typing import Any

PSM = ("features", "pdg", "background", "loss_weight", "quality_exponent", "training")
PRM = (
    *("fit", "start", "ppg", "npg", "alpha", "neg_norm", "score", "pdg_exponent"),
    *("quality_exponent", "training"),
)
SAM = ("model", "checkpoint", "sha256", "prompts_per_batch", "precision", "stability_offset")
KEYS = {
    **{f"select.{key}": f"select.psm.{key}" for key in PSM},
    **{f"refine.{key}": f"refine.prm.{key}" for key in PRM},
    **{f"propose.{key}": f"propose.sam.{key}" for key in SAM},
    "refine.bms": "refine.prm.bms, and refine.as_it_is.bms where refine.method is as_it_is",
}
VALUES = {  # a key without its place in a list, and a value
    ("refine.method", "none"): "as_it_is",
    ("prepare.point", "given"): (
        "prepare.labels: point, which takes the `point` of an annotation that has one"
    ),
    ("propose.prompts.source", "point"): "label",
}


def now_called(key: str, value: Any = None) -> str | None:
    """What a key, or a value of a key, of edition 1 is called now; None for any other.

    Parameters
    ----------
    key : dotted path; numbers of list entries do not count.
    """
    if value is None:
        return KEYS.get(key)
    plain = ".".join(part for part in key.split(".") if not part.isdigit())
    return VALUES.get((plain, value)) if isinstance(value, str) else None
