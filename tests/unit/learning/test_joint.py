"""One step of PSM and PRM: the sum of two losses, what PRM is told, and where gradients go."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.learning.adapter import Adapter
from stages.learning.bags import ImageBags
from stages.learning.joint_step import chosen_now, joint_loss
from stages.learning.refine_step import refine_loss, rngs_of
from stages.learning.select_step import psm_logits, select_image, select_loss
from stages.learning.two_branch import TwoBranch
from stages.settings.refine import Refine
from stages.settings.refiners.prm import Bms
from stages.settings.refiners.prm import Settings as Prm
from stages.settings.select import Select
from stages.settings.selectors.psm import Features, Pdg
from stages.settings.selectors.psm import Settings as Psm

FEATURES = Features(channels=16, hidden=32, roi_size=3)


def image_bags(image_id: int, objects: int = 3) -> ImageBags:
    """Random bags of four proposals that select has not seen."""
    rng = np.random.default_rng(image_id)
    corner = rng.uniform(0, 60, (objects, 4, 2)).astype(np.float32)
    sides = rng.uniform(10, 50, (objects, 4, 2)).astype(np.float32)
    return ImageBags(
        image_id=image_id,
        bag_ids=tuple(range(objects)),
        boxes=torch.from_numpy(np.concatenate([corner, corner + sides], axis=2)),
        valid=torch.from_numpy(rng.random((objects, 4)) < 0.8),
        quality=torch.from_numpy(rng.random((objects, 4), dtype=np.float32)),
        points=torch.from_numpy(rng.uniform(20, 90, (objects, 2)).astype(np.float32)),
        labels=torch.from_numpy(rng.integers(0, 2, objects)),
        lengths=torch.full((objects,), 4),
        size=(128.0, 128.0),
    )


@pytest.fixture
def network() -> TwoBranch:
    torch.manual_seed(0)
    heads = {"psm": 4, "prm": 3}
    return TwoBranch(FEATURES, heads, Adapter(8, 16), (8.0,))


PIXELS = torch.rand(2, 8, 16, 16, generator=torch.Generator().manual_seed(0))
SETTINGS = [
    Select(psm=psm)
    for psm in (
        Psm(features=FEATURES),
        Psm(features=FEATURES, pdg=Pdg(apply="score", exponent=9.0), quality_exponent=0.0),
        Psm(features=FEATURES, pdg=Pdg(apply="logits", distance="sqrt")),
    )
]


def told(network: TwoBranch, select: Select) -> list[ImageBags]:
    """The bags as stages.select would hand them on."""
    bags = [image_bags(7), image_bags(8, 2)]
    answers = [select_image(network, PIXELS[i : i + 1], one, select) for i, one in enumerate(bags)]
    return [
        replace(
            one,
            chosen=answer.chosen.clone(),
            bag_scores=answer.bag_score.clone(),
            guided_scores=(answer.score_cls * answer.score_ins * answer.score_dis).sum(dim=1),
            scores=answer.score.clone(),
        )
        for one, answer in zip(bags, answers, strict=True)
    ]


@pytest.mark.parametrize("select", SETTINGS, ids=["selection", "score", "logits"])
@pytest.mark.parametrize("stages", [("prm",), ("psm", "prm")])
@pytest.mark.parametrize("weight_dis", [True, False])
def test_joint_loss_is_the_sum_of_both_at_psm_s_present_choice(
    network: TwoBranch, select: Select, stages: tuple[str, ...], weight_dis: bool
) -> None:
    bags = [image_bags(7), image_bags(8, 2)]
    refine = Refine(prm=Prm(fit="joint", bms=Bms(stages=stages), weight_dis=weight_dis))
    seen, numbers = joint_loss(network, PIXELS, bags, refine, select, rng_of=rngs_of(1, 5, [7, 8]))
    psm, of_psm = select_loss(network, PIXELS, bags, select)
    choices = told(network, select)
    prm, of_prm = refine_loss(
        network, PIXELS, choices, refine, select, rng_of=rngs_of(1, 5, [7, 8])
    )
    assert seen.item() == pytest.approx(psm.item() + prm.item(), rel=1e-5)
    assert numbers["loss_psm"] == pytest.approx(psm.item(), rel=1e-5)
    assert numbers["loss_prm"] == pytest.approx(prm.item(), rel=1e-5)
    assert numbers["bag_score"] == pytest.approx(of_psm["bag_score"], rel=1e-5)
    assert numbers["bag_score_prm"] == pytest.approx(of_prm["bag_score_prm"], rel=1e-5)
    assert numbers["images"] == 2
    both = {
        weight: grad(network, weight, seen) for weight in ("trunk.0.weight", "maps.conv.weight")
    }
    for weight, value in both.items():
        torch.testing.assert_close(
            value, grad(network, weight, psm) + grad(network, weight, prm), rtol=1e-4, atol=1e-7
        )


def grad(network: TwoBranch, name: str, loss: torch.Tensor) -> torch.Tensor:
    weight = dict(network.named_parameters())[name]
    return torch.autograd.grad(loss, weight, retain_graph=True)[0]


def test_prm_teaches_nothing_to_the_branches_of_psm(network: TwoBranch) -> None:
    select, bags = SETTINGS[1], [image_bags(7), image_bags(8, 2)]
    rng = rngs_of(1, 5, [7, 8])
    seen, _ = joint_loss(network, PIXELS, bags, Refine(prm=Prm(fit="joint")), select, rng_of=rng)
    alone, _ = select_loss(network, PIXELS, bags, select)
    for name in ("heads.psm.cls.weight", "heads.psm.ins.weight"):
        torch.testing.assert_close(grad(network, name, seen), grad(network, name, alone))


@pytest.mark.parametrize("select", SETTINGS, ids=["selection", "score", "logits"])
def test_choices_are_those_of_select(network: TwoBranch, select: Select) -> None:
    bags = image_bags(7)
    [pair] = psm_logits(network, network.feature_maps(PIXELS[:1]), [bags])
    seen, wanted = chosen_now(*pair, bags, select), told(network, select)[0]
    assert seen.chosen is not None
    assert torch.equal(seen.chosen, wanted.chosen)
    torch.testing.assert_close(seen.scores, wanted.scores)
    torch.testing.assert_close(seen.bag_scores, wanted.bag_scores)
    torch.testing.assert_close(seen.guided_scores, wanted.guided_scores)
    assert not seen.bag_scores.requires_grad


def test_mixed_precision_computes_losses_in_float32_close_to_the_plain_ones() -> None:
    losses = {}
    for mixed in (False, True):
        torch.manual_seed(0)
        heads = {"psm": 4, "prm": 3}
        network = TwoBranch(FEATURES, heads, Adapter(8, 16), (8.0,), mixed=mixed)
        bags, rng = [image_bags(7), image_bags(8, 2)], rngs_of(1, 5, [7, 8])
        logits = psm_logits(network, network.feature_maps(PIXELS), bags)
        assert logits[0][0].dtype == torch.float32
        loss, _ = joint_loss(network, PIXELS, bags, Refine(), SETTINGS[0], rng_of=rng)
        loss.backward()
        assert loss.dtype == torch.float32
        assert all(torch.isfinite(w.grad).all() for w in network.parameters())
        losses[mixed] = loss.item()
    assert losses[True] == pytest.approx(losses[False], rel=0.02)
    assert losses[True] != losses[False]
