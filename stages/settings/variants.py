"""Section `variants`: named changes to the sections from `prepare` to `train`.

SAPNet, Sec. 4.3, has such a comparison of its components.

A variant starts from the config, or from another variant (`of`), and lays its own values over it.
`over` names the variant that it is to beat, one component less: the gain is reported against it.
"""

from typing import Any

from stages.settings.section import Annotated, Field, Section


class Variant(Section):
    """Values that replace those of the config."""

    of: Annotated[
        str | None,
        Field(
            description="variant to start from; null: the config; fully_supervised: no variant "
            "but a detector that learns from the ground truth, with other keys of `train`"
        ),
    ] = None
    over: Annotated[str | None, Field(description="variant with one component less")] = None
    prepare: Annotated[dict[str, Any], Field(description="keys of `prepare`")] = Field(
        default_factory=dict
    )
    prompt: Annotated[dict[str, Any], Field(description="keys of `prompt`")] = Field(
        default_factory=dict
    )
    propose: Annotated[dict[str, Any], Field(description="keys of `propose`")] = Field(
        default_factory=dict
    )
    select: Annotated[dict[str, Any], Field(description="keys of `select`")] = Field(
        default_factory=dict
    )
    refine: Annotated[dict[str, Any], Field(description="keys of `refine`")] = Field(
        default_factory=dict
    )
    export: Annotated[dict[str, Any], Field(description="keys of `export`")] = Field(
        default_factory=dict
    )
    train: Annotated[dict[str, Any], Field(description="keys of `train`")] = Field(
        default_factory=dict
    )


OFF: dict[str, Any] = {"enabled": False}
UNMINED: dict[str, Any] = {"mode": "none"}

# Tables 3, 4, 6 and 7 of the paper; `full` holds its settings, `code` the authors' readings
VARIANTS: dict[str, dict[str, Any]] = {
    "sam_top1": {
        "select": {"method": "sam_top1"},
        "refine": {"method": "as_it_is", "vote": OFF, "zoom": OFF},
    },
    "full": {
        "over": "pnpg",
        "select": {
            "method": "psm",
            "psm": {
                "pdg": {
                    "apply": "score",
                    "distance": "euclid",
                    "neighbour": "point",
                    "exponent": 0.015,
                    "min_distance": 1.0,
                },
                "background": True,
                "loss_weight": 0.25,
                "quality_exponent": 0.0,
            },
        },
        "refine": {
            "method": "prm",
            "vote": OFF,
            "zoom": OFF,
            "mps": "paper",
            "prm": {
                "ppg": {"enabled": True, "clamp": "image"},
                "npg": {"enabled": True, "t_neg1": 0.3, "t_neg2": 0.5, "part_mode": "center"},
                "bms": {
                    "mode": "paper",
                    "k": 3,
                    "t_min1": 0.6,
                    "t_min2": 0.3,
                    "tolerance": 2.0,
                    "stages": ["prm"],
                },
                "alpha": 0.25,
                "neg_norm": "kept",
                "score": "softmax",
                "pdg_exponent": 0.0,
                "quality_exponent": 0.0,
            },
        },
    },
    "mil": {
        "of": "full",
        "over": "sam_top1",
        "select": {"psm": {"pdg": {"apply": "none"}}},
        "refine": {"method": "as_it_is"},
    },
    "pdg": {"of": "full", "over": "mil", "refine": {"method": "as_it_is"}},
    "mil2": {
        "of": "full",
        "over": "pdg",
        "refine": {"prm": {"ppg": OFF, "npg": OFF, "bms": UNMINED}},
    },
    "ppg": {"of": "full", "over": "mil2", "refine": {"prm": {"npg": OFF, "bms": UNMINED}}},
    "npg": {"of": "full", "over": "mil2", "refine": {"prm": {"ppg": OFF, "bms": UNMINED}}},
    "pnpg": {"of": "full", "over": "mil2", "refine": {"prm": {"bms": UNMINED}}},
    "code": {
        "of": "full",
        "over": "full",
        "select": {
            "psm": {
                "pdg": {
                    "apply": "logits",
                    "distance": "sqrt",
                    "exponent": 0.015625,
                    "min_distance": 0.0,
                }
            }
        },
        "refine": {
            "mps": "code",
            "prm": {
                "ppg": {"clamp": "zero"},
                "bms": {"mode": "code", "stages": ["psm", "prm"]},
                "neg_norm": "objects",
            },
        },
    },
    # Beyond the paper, one lead after the other
    "guided": {
        "of": "full",
        "over": "full",
        "select": {
            "psm": {"pdg": {"apply": "selection", "exponent": 4.0}, "quality_exponent": 2.0}
        },
        "refine": {"prm": {"pdg_exponent": 4.0}},
    },
    "negatives": {
        "of": "guided",
        "over": "guided",
        "refine": {"prm": {"neg_norm": "objects", "npg": {"part_mode": "random"}}},
    },
    "voted": {
        "of": "negatives",
        "over": "negatives",
        "refine": {"vote": {"enabled": True, "quality_exponent": 3.0, "threshold": 0.35}},
    },
    "best": {
        "of": "voted",
        "over": "voted",
        "refine": {"zoom": {"enabled": True, "window": 2.0, "margin": 1.3}},
    },
}


def default_variants() -> dict[str, Variant]:
    """The variants of config.yaml."""
    return {name: Variant(**values) for name, values in VARIANTS.items()}
