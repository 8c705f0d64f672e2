"""Steps of PSM and PRM on four images: losses fall by half, bags without masks teach nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages import fit_refine, fit_select
from stages.learning.adapter import Adapter
from stages.learning.bags import ImageBags
from stages.learning.pnpg_step import enlarged, negatives
from stages.learning.refine_step import refine_image, refine_loss
from stages.learning.select_step import select_image, select_loss, selection_of
from stages.learning.two_branch import TwoBranch
from stages.mil.pdg import guidance
from stages.mil.psm import bag_scores, of_label, proposal_scores
from stages.settings.refine import Refine
from stages.settings.refiners.prm import Bms, Npg, Ppg
from stages.settings.refiners.prm import Settings as Prm
from stages.settings.select import Select
from stages.settings.selectors.psm import Features, Pdg
from stages.settings.selectors.psm import Settings as Psm

FEATURES = Features(channels=16, hidden=32, roi_size=3)
SELECT = Select(psm=Psm(features=FEATURES))
LONG = {"epochs": 25, "batch_images": 2, "flip": 0.0, "warmup": 2, "checkpoint_every": 1000}


def losses(path: Path, key: str = "loss") -> tuple[float, float]:
    """Mean of the first and of the last two steps: one epoch of four images."""
    values = [json.loads(line)[key] for line in path.read_text().splitlines()]
    return sum(values[:2]) / 2, sum(values[-2:]) / 2


def test_losses_of_psm_and_prm_fall_by_half(small_run: Any, tmp_path: Path) -> None:
    world = small_run.world
    training = {**LONG, "milestones": [], "lr": 3e-3}
    features = {"channels": 32, "hidden": 64, "roi_size": 3}
    settings = {"psm": {"features": features, "training": training}}
    psm = {"out": tmp_path / "psm.pt", "out_log": tmp_path / "psm.jsonl"}
    fit_select.main(world.flags(**psm, settings=json.dumps(settings)))
    first, last = losses(tmp_path / "psm.jsonl")
    assert last < first / 2
    prm = {
        "select_model": psm["out"],
        "out": tmp_path / "prm.pt",
        "out_log": tmp_path / "prm.jsonl",
    }
    texts = {"select_settings": json.dumps(settings)}
    texts["settings"] = json.dumps({"prm": {"training": training, "npg": {"background": 20}}})
    flags = world.flags(**prm, **texts)
    fit_refine.main([*flags, "--selections", *map(str, small_run.selections)])
    first, last = losses(tmp_path / "prm.jsonl", "positive")
    assert last < first / 2


def image_bags(*, empty: bool = False) -> ImageBags:
    """Three objects with four proposals each; the last object's masks may be empty."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 60, (3, 4, 2)).astype(np.float32)
    sides = rng.uniform(10, 50, (3, 4, 2)).astype(np.float32)
    valid = torch.ones(3, 4, dtype=torch.bool)
    valid[2] = not empty
    return ImageBags(
        image_id=7,
        bag_ids=(1, 2, 3),
        boxes=torch.from_numpy(np.concatenate([corner, corner + sides], axis=2)),
        valid=valid,
        quality=torch.full((3, 4), 0.5),
        points=torch.tensor([[30.0, 30.0], [50.0, 50.0], [80.0, 20.0]]),
        labels=torch.tensor([0, 0, 1]),
        lengths=torch.full((3,), 4),
        size=(128.0, 128.0),
        chosen=torch.tensor([1, 2, 0]),
        bag_scores=torch.tensor([0.9, 0.5, 0.1]),
    )


@pytest.fixture
def network() -> TwoBranch:
    torch.manual_seed(0)
    return TwoBranch(FEATURES, {"psm": 4, "prm": 3}, Adapter(8, 16), (8.0,)).eval()


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.rand(1, 8, 16, 16, generator=torch.Generator().manual_seed(0))


def without_last(bags: ImageBags) -> ImageBags:
    """The same bags, the last object left out everywhere but in its point."""
    names = ("boxes", "valid", "quality", "points", "labels", "lengths", "chosen", "bag_scores")
    return replace(bags, bag_ids=(1, 2), **{n: getattr(bags, n)[:2] for n in names})


@pytest.mark.parametrize("apply", ["score", "selection", "logits", "none"])
def test_the_score_of_a_selection_is_that_of_psm_bit_by_bit(apply: Any) -> None:
    pdg = Pdg(apply=apply, exponent=2.0)
    select = Select(psm=Psm(features=FEATURES, pdg=pdg, quality_exponent=0.5))
    bags, drawn = image_bags(empty=True), torch.Generator().manual_seed(1)
    cls, ins = torch.randn(2, 3, 4, 3, generator=drawn)
    choice = selection_of(cls, ins, bags, select)
    plain = proposal_scores(cls, ins, bags.valid)
    is_guided = apply in ("score", "selection")
    dis = choice.score_dis if is_guided else None
    wanted = of_label(proposal_scores(cls, ins, bags.valid, guidance=dis), bags.labels)
    assert torch.equal(choice.score, wanted * bags.quality**0.5 * bags.valid)
    parts = choice.score_cls * choice.score_ins * (choice.score_dis if is_guided else 1)
    assert torch.equal(choice.score, parts * bags.quality**0.5)
    assert (choice.score_dis < 1).any()
    own = bag_scores(plain).gather(1, bags.labels[:, None])[:, 0]
    torch.testing.assert_close(choice.bag_score, own)


def test_psm_learns_nothing_from_bags_of_empty_masks(
    network: TwoBranch, pixels: torch.Tensor
) -> None:
    bags = image_bags(empty=True)
    with_empty, _ = select_loss(network, pixels, [bags], SELECT)
    without, _ = select_loss(network, pixels, [without_last(bags)], SELECT)
    assert with_empty.item() == pytest.approx(without.item())


@pytest.mark.parametrize("mode", ["center", "random", "none"])
def test_prm_learns_nothing_from_bags_of_empty_masks(
    network: TwoBranch, pixels: torch.Tensor, mode: str
) -> None:
    bags = image_bags(empty=True)
    settings = Refine(prm=Prm(npg=Npg(part_mode=mode, part_min_area=1.0)))

    def loss(image: ImageBags) -> float:
        rng = {7: np.random.default_rng(3)}
        return refine_loss(network, pixels, [image], settings, SELECT, rng_of=rng)[0].item()

    assert loss(bags) == pytest.approx(loss(without_last(bags)))


def test_a_batch_of_empty_masks_costs_nothing(network: TwoBranch, pixels: torch.Tensor) -> None:
    bags = replace(image_bags(), valid=torch.zeros(3, 4, dtype=torch.bool))
    rng = {7: np.random.default_rng(3)}
    for loss in (
        select_loss(network, pixels, [bags], SELECT)[0],
        refine_loss(network, pixels, [bags], Refine(), SELECT, rng_of=rng)[0],
    ):
        loss.backward()
        assert loss.item() == 0
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())


def test_an_image_without_objects_is_no_trouble(network: TwoBranch, pixels: torch.Tensor) -> None:
    names = ("boxes", "valid", "quality", "points", "labels", "lengths", "chosen", "bag_scores")
    full = image_bags()
    bags = replace(full, bag_ids=(), **{n: getattr(full, n)[:0] for n in names})
    assert select_image(network, pixels, bags, SELECT).chosen.shape == (0,)
    assert refine_image(network, pixels, bags, Refine(), SELECT).chosen.shape == (0,)
    rng = {7: np.random.default_rng(3)}
    assert refine_loss(network, pixels, [bags], Refine(), SELECT, rng_of=rng)[0].item() == 0


def test_the_batch_mean_is_over_objects_not_over_images(network: TwoBranch) -> None:
    pixels = torch.rand(2, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    both = [image_bags(), without_last(image_bags())]
    together, _ = select_loss(network, pixels, both, SELECT)
    alone = [select_loss(network, pixels[i : i + 1], [both[i]], SELECT)[0] for i in (0, 1)]
    wanted = (3 * alone[0].item() + 2 * alone[1].item()) / 5
    assert together.item() == pytest.approx(wanted, rel=1e-5)


def test_gradients_reach_every_weight(network: TwoBranch, pixels: torch.Tensor) -> None:
    rng = {7: np.random.default_rng(3)}
    select_loss(network, pixels, [image_bags()], SELECT)[0].backward()
    refine_loss(network, pixels, [image_bags()], Refine(), SELECT, rng_of=rng)[0].backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_enlarged_bags_keep_the_originals_and_scale_box_psm() -> None:
    bags = image_bags()
    plus = enlarged(bags, Refine(), SELECT)
    assert plus.boxes.shape == (3, 24, 4)
    torch.testing.assert_close(plus.boxes[:, :4], bags.boxes)
    centre = (bags.box_psm()[:, :2] + bags.box_psm()[:, 2:]) / 2
    inner = (plus.boxes[:, 4:, :2] + plus.boxes[:, 4:, 2:]) / 2
    inside = (plus.boxes[:, 4:, :2] > 0).all(-1) & (plus.boxes[:, 4:, 2:] < 128).all(-1)
    torch.testing.assert_close(inner[inside], centre[:, None].expand_as(inner)[inside])
    wanted = guidance(plus.boxes, bags.points, bags.labels, distance="euclid", min_distance=1.0)
    torch.testing.assert_close(plus.raw, wanted)
    assert plus.boxes.min() >= 0
    assert plus.boxes.max() <= 128


@pytest.mark.parametrize("exponent", [0.015, 2.0])
def test_the_papers_form_scales_every_object_both_ways_by_its_s_dis(exponent: float) -> None:
    bags = image_bags()
    select = Select(psm=Psm(features=FEATURES, pdg=Pdg(exponent=exponent)))
    paper = Refine(prm=Prm(ppg=Ppg(form="paper", step=0.01, count=3, clamp="zero")))
    sides = enlarged(bags, paper, select).boxes[:, 4:]
    width = bags.box_psm()[:, 2] - bags.box_psm()[:, 0]
    raw = guidance(
        *(bags.box_psm()[:, None], bags.points, bags.labels), distance="euclid", min_distance=1.0
    )[:, 0]
    spread = torch.tensor([1.0, 2, 3, -1, -2, -3]) * 0.01 / raw[:, None] ** exponent
    seen = (sides[..., 2] - sides[..., 0]) / width[:, None] - 1
    inside = sides[..., 0] > 0
    torch.testing.assert_close(seen[inside], spread[inside], rtol=1e-3, atol=1e-4)
    assert (raw < 1).any()
    assert inside.any()


def test_the_weight_of_an_object_has_s_dis_in_it_where_it_is_asked_for(
    network: TwoBranch, pixels: torch.Tensor
) -> None:
    bags = replace(image_bags(), guided_scores=torch.tensor([0.3, 0.2, 0.0]))
    plain = replace(bags, bag_scores=bags.guided_scores)

    def loss(image: ImageBags, apply: Any = "score", *, dis: bool) -> float:
        settings = Refine(prm=Prm(weight_dis=dis))
        select = Select(psm=Psm(features=FEATURES, pdg=Pdg(apply=apply)))
        rng = {7: np.random.default_rng(3)}
        return refine_loss(network, pixels, [image], settings, select, rng_of=rng)[0].item()

    assert loss(bags, dis=True) == loss(plain, dis=False)
    assert loss(bags, dis=True) != loss(bags, dis=False)
    assert loss(bags, "none", dis=True) == loss(bags, dis=False)  # without PDG there is no S_dis


def test_without_ppg_the_bag_stays() -> None:
    plus = enlarged(image_bags(), Refine(prm=Prm(ppg=Ppg(enabled=False))), SELECT)
    assert plus.boxes.shape == (3, 4, 4)


@pytest.mark.parametrize("mode", ["center", "random", "none"])
def test_negatives_depend_on_their_generator_alone(mode: str) -> None:
    settings = Refine(prm=Prm(npg=Npg(background=30, part_mode=mode, part_min_area=100)))
    first, again = (negatives(image_bags(), settings, np.random.default_rng(5)) for _ in "ab")
    assert torch.equal(first, again)
    other = negatives(image_bags(), settings, np.random.default_rng(6))
    assert not torch.equal(first, other)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("neighbour", ["point", "bag"])
def test_mirroring_changes_no_penalty(flip: bool, neighbour: str) -> None:
    select = Select(psm=Psm(features=FEATURES, pdg=Pdg(neighbour=neighbour)))
    plain = enlarged(image_bags(), Refine(), select)
    mirrored = enlarged(image_bags().scaled(1.0, flip=flip), Refine(), select)
    torch.testing.assert_close(plain.raw, mirrored.raw)


def pick(apply: str, quality: float = 0.0) -> Select:
    pdg = Pdg(apply=apply, exponent=30.0)
    return Select(psm=Psm(features=FEATURES, pdg=pdg, quality_exponent=quality))


def test_pdg_moves_the_choice_where_it_is_applied(network: TwoBranch, pixels: torch.Tensor) -> None:
    bags = image_bags()
    answers = {a: select_image(network, pixels, bags, pick(a)) for a in ("none", "selection")}
    dis = answers["none"].score_dis
    torch.testing.assert_close(answers["selection"].score, answers["none"].score * dis)
    torch.testing.assert_close(answers["selection"].bag_score, answers["none"].bag_score)
    assert (answers["selection"].chosen != answers["none"].chosen).any()
    for answer in answers.values():
        assert torch.equal(answer.chosen, answer.score.argmax(dim=1))


def test_quality_of_sam_decides_between_equals(network: TwoBranch, pixels: torch.Tensor) -> None:
    same = image_bags().boxes[:, :1].expand(3, 4, 4).clone()
    quality = torch.tensor([[0.2, 0.9, 0.3, 0.4]]).expand(3, 4)
    bags = replace(image_bags(), boxes=same, quality=quality)
    assert select_image(network, pixels, bags, pick("none")).chosen.tolist() == [0, 0, 0]
    assert select_image(network, pixels, bags, pick("none", 2.0)).chosen.tolist() == [1, 1, 1]


@pytest.mark.parametrize("mode", ["paper", "code"])
def test_bms_looks_at_the_proposals_that_its_reading_names(
    network: TwoBranch, pixels: torch.Tensor, mode: str
) -> None:
    bags = image_bags()
    bms = Bms(mode=mode, k=1, t_min1=0.0, t_min2=0.0)
    settings = Refine(prm=Prm(bms=bms, pdg_exponent=0.0))
    answer = refine_image(network, pixels, bags, settings, SELECT)
    for i in range(3):
        if answer.rules[i] and mode == "code":
            first, chosen = bags.boxes[i, 0], answer.box_select[i]
            mix = (answer.box_prm[i] - chosen) / (first - chosen)
            torch.testing.assert_close(mix, mix[:1].expand(4), rtol=1e-3, atol=1e-3)
