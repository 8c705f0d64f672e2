"""How fast the segmenter of a run is: tried here, or by published numbers of a GPU."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from stages.estimating.devices import MODEL, rate_on, told_of
from stages.estimating.flops import Work, work_of
from stages.estimating.forecast import Pace
from stages.estimating.probe import Probed, Shown, probed
from stages.estimating.wording import duration
from stages.runtime.device import leased
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.estimate import Estimate
from stages.settings.propose import Propose
from stages.settings.section import from_json

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast the segmenter is. pace, probed : None where not known; told : what that rests on."""

    pace: Pace | None
    probed: Probed | None
    told: str


def tempo_of(facts: Values, settings: Estimate, shown: Sequence[Shown], work: Work | None) -> Tempo:
    """How fast the segmenter is on the device that the settings name."""
    propose = from_json(Propose, json.dumps(facts["settings"]["propose"]), "propose")
    if settings.device != "here":
        return _published(settings.device, propose, work)
    if SEGMENTERS[propose.segmenter].fit:
        return Tempo(None, None, f"nothing: {propose.segmenter} is still to be trained")
    try:
        with ExitStack() as stack:
            device = str(facts["device"])
            segmenter = OnDemand(propose, lambda: stack.enter_context(leased(device)))
            found = probed(segmenter, propose, shown, seconds=settings.seconds)
    except ValueError as error:
        return Tempo(None, None, f"nothing, for the segmenter cannot be tried: {error}")
    if found is None:
        return Tempo(None, None, "nothing: no image could be asked about")
    told = (
        f"{found.images} images, {found.questions} prompts, here: "
        f"{duration(found.look)} a look, {duration(found.question)} a prompt with its masks; "
        f"of the clock, at a load of {os.getloadavg()[0]:.1f}"
    )
    pace = Pace(found.look, found.question, "tried here", False, found.memory)
    return Tempo(pace, found, told)


def _published(device: str, propose: Propose, work: Work | None) -> Tempo:
    """The pace of a GPU that is not here: the networks alone, without what the CPU does."""
    if work is None:
        return Tempo(None, None, f"nothing: no number is known of {propose.segmenter} on {device}")
    measured = work_of(MODEL).encoder
    look = rate_on(device, propose.sam.precision, measured)
    prompt = rate_on(device, "float32", measured)
    if look is None or prompt is None:
        told = f"nothing: no number is known of {propose.sam.precision} on {device}"
        return Tempo(None, None, f"{told}. Try propose.sam.precision: float32.")
    pace = Pace(work.encoder / look, work.decoder / prompt, "published numbers", at_least=True)
    return Tempo(pace, None, told_of(device))
