"""How many rounds a variant has. Plain values in, plain values out."""

from collections.abc import Iterator, Mapping
from typing import Any

from stages.settings.overrides import round_name, variant_config, wanted_rounds
from stages.settings.readers import DOORS, reads_former

Values = Mapping[str, Any]


def rounds_of(config: Values, name: str) -> int:
    """The number of a variant's rounds: one where no later one would read the round before."""
    wanted = wanted_rounds(config, name)
    later = variant_config(config, round_name(name, 2)) if wanted > 1 else None
    return wanted if later and reads_former(later) else 1


def round_names(config: Values, name: str) -> list[str]:
    """Names of all rounds of a variant, the first first."""
    return [round_name(name, number + 1) for number in range(rounds_of(config, name))]


def round_faults(config: Values) -> Iterator[str]:
    """Rounds of the run's own variant that would repeat the first, or have none before them."""
    name = config["variant"]
    wanted = wanted_rounds(config, name)
    if wanted > 1 and rounds_of(config, name) == 1:
        yield (
            f"rounds: {wanted}, but no stage of the later rounds reads the round before, so they "
            "would repeat the first; set rounds: 1, or choose what reads it, such as "
            "again: {refine: {method: relabel}}"
        )
    for part in round_names(config, name):
        yield from detector_faults(variant_config(config, part))
    yield from first_faults(variant_config(config, name))


def first_faults(config: Values) -> Iterator[str]:
    """Methods of a first round that judge the labels of a round before.

    Parameters
    ----------
    config : whole, of the first round of a variant.
    """
    for stage in reads_former(config):
        if stage in DOORS:  # a training can do without
            key = DOORS[stage][0]
            method = config[stage][key]
            yield (
                f"{stage}.{key}: {method} judges the labels of the round before, and a first round "
                f"has none; set rounds: 2 and again: {{{stage}: {{{key}: {method}}}}}"
            )


def detector_faults(config: Values) -> Iterator[str]:
    """A round that asks a detector, where none is trained, or asks no segmenter close up.

    Parameters
    ----------
    config : whole, of one round.
    """
    read = [stage for stages in reads_former(config).values() for stage in stages]
    if "predict" in read and not config["train"]["enabled"]:
        yield (
            f"refine.method: {config['refine']['method']} asks the detector of the round before, "
            "but train.enabled is false, so there is none; set train.enabled: true"
        )
    relabel = config["refine"].get("relabel", {})
    is_close = config["refine"]["method"] == "relabel" and relabel["mask"] == "close_up"
    if is_close and not config["refine"]["zoom"]["enabled"]:
        yield (
            "refine.relabel.mask is close_up, but refine.zoom.enabled is false; set "
            "again: {refine: {zoom: {enabled: true}}}, or relabel.mask: detector"
        )
