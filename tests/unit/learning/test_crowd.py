"""Images with no object, with one, and with 200: right, quick, and within memory."""

import resource
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.learning.adapter import Adapter
from stages.learning.bags import CHOICES, TENSORS, ImageBags
from stages.learning.joint_step import joint_loss
from stages.learning.pnpg_step import enlarged, negatives
from stages.learning.refine_step import refine_image, refine_loss, rngs_of
from stages.learning.refinement import unrefined
from stages.learning.select_step import select_image, select_loss
from stages.learning.two_branch import TwoBranch
from stages.settings.refine import Refine
from stages.settings.refiners.as_it_is import Bms as Mined
from stages.settings.refiners.as_it_is import Settings as AsItIs
from stages.settings.refiners.prm import Bms, Npg
from stages.settings.refiners.prm import Settings as Prm
from stages.settings.select import Select
from stages.settings.selectors.psm import Features, Pdg
from stages.settings.selectors.psm import Settings as Psm

FEATURES = Features(channels=16, hidden=32, roi_size=7)
PRM = Prm(npg=Npg(background=500, part_mode="random"), bms=Bms(stages=("psm", "prm")))
REFINE = Refine(prm=PRM, as_it_is=AsItIs(bms=Mined(mode="paper")))
SECONDS, MIB = 20, 1200  # measured: 1 s and 300 MiB for everything below
PIXELS = torch.rand(1, 8, 16, 16, generator=torch.Generator().manual_seed(0))


def network() -> TwoBranch:
    torch.manual_seed(0)
    return TwoBranch(FEATURES, {"psm": 4, "prm": 3}, Adapter(8, 16), (64.0,))


def crowd(objects: int) -> ImageBags:
    """Objects of one class, nine proposals each, in an image of 1024 x 1024 px."""
    rng = np.random.default_rng(objects)
    corner = rng.uniform(0, 900, (objects, 9, 2)).astype(np.float32)
    sides = rng.uniform(10, 120, (objects, 9, 2)).astype(np.float32)
    return ImageBags(
        image_id=1,
        bag_ids=tuple(range(objects)),
        boxes=torch.from_numpy(np.concatenate([corner, corner + sides], axis=2)),
        valid=torch.ones(objects, 9, dtype=torch.bool),
        quality=torch.full((objects, 9), 0.5),
        points=torch.from_numpy(corner[:, 0] + sides[:, 0] / 2),
        labels=torch.zeros(objects, dtype=torch.long),
        lengths=torch.full((objects,), 9),
        size=(1024.0, 1024.0),
    )


def told(bags: ImageBags, select: Select) -> ImageBags:
    answer = select_image(network(), PIXELS, bags, select)
    values = (answer.chosen, answer.bag_score, answer.bag_score, answer.score)
    return replace(bags, **{n: v.clone() for n, v in zip(CHOICES, values, strict=True)})


@pytest.mark.parametrize("objects", [0, 1, 200])
@pytest.mark.parametrize("neighbour", ["point", "bag"])
def test_both_stages_take_any_number_of_objects(objects: int, neighbour: str) -> None:
    select = Select(psm=Psm(features=FEATURES, pdg=Pdg(neighbour=neighbour)))
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bags = told(crowd(objects), select)
    assert enlarged(bags, REFINE, select).boxes.shape == (objects, 29 if objects else 9, 4)
    assert len(negatives(bags, REFINE, np.random.default_rng(0))) <= 500 + 4 * objects
    answers = unrefined(bags, REFINE), refine_image(network(), PIXELS, bags, REFINE, select)
    for answer in answers:
        assert len(answer.chosen) == len(answer.extra) == objects
        assert torch.isfinite(answer.box_prm).all()
    net, rng = network(), rngs_of(0, 0, [1])
    loss, numbers = joint_loss(net, PIXELS, [bags], REFINE, select, rng_of=rng)
    loss.backward()
    assert numbers["objects"] == objects
    assert all(np.isfinite(value) for value in numbers.values())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert grown / 1024 < MIB
    assert time.monotonic() - began < SECONDS


def test_an_empty_image_in_a_batch_changes_no_loss() -> None:
    select = Select(psm=Psm(features=FEATURES))
    full, empty = told(crowd(3), select), replace(told(crowd(0), select), image_id=2)
    pixels = torch.cat([PIXELS, PIXELS.flip(3)])
    refine = Refine(prm=PRM.model_copy(update={"npg": Npg(enabled=False)}))
    rng = rngs_of(0, 0, [1, 2])
    for both, alone in (
        (
            select_loss(network(), pixels, [full, empty], select),
            select_loss(network(), PIXELS, [full], select),
        ),
        (
            refine_loss(network(), pixels, [full, empty], refine, select, rng_of=rng),
            refine_loss(network(), PIXELS, [full], refine, select, rng_of=rng),
        ),
    ):
        assert both[0].item() == pytest.approx(alone[0].item())


def test_an_object_alone_scores_as_among_objects_of_other_classes() -> None:
    select = Select(psm=Psm(features=FEATURES))
    among = replace(crowd(3), labels=torch.tensor([0, 1, 2]))
    alone = replace(among, bag_ids=(1,), **{n: getattr(among, n)[1:2] for n in TENSORS})
    seen, wanted = (select_image(network(), PIXELS, b, select) for b in (alone, among))
    torch.testing.assert_close(seen.score, wanted.score[1:2])
    assert (seen.score_dis == 1).all()
