"""Dropout that depends on the seed, the step and the image, and on nothing else."""

import pytest
import torch
from torch import Tensor

from stages.learning.dropout import ImageDropout

CPU = torch.device("cpu")


def dropped(
    rate: float = 0.5, *, ids: tuple[int, ...] = (3, 8), counts: tuple[int, ...] = (2, 5), **at: int
) -> Tensor:
    """What is left of ones."""
    layer = ImageDropout(rate)
    layer.begin(ids, **{"seed": 0, "step": 4, **at}, device=CPU)
    return layer(torch.ones(sum(counts), 400), counts)


@pytest.mark.parametrize("counts", [(0, 0), (0, 3), (2, 5)])
def test_there_may_be_any_number_of_rows(counts: tuple[int, int]) -> None:
    assert dropped(counts=counts).shape == (sum(counts), 400)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5])
def test_a_share_is_dropped_and_the_rest_grows_so_that_the_mean_stays(rate: float) -> None:
    seen = dropped(rate, counts=(50, 50))
    assert (seen == 0).float().mean().item() == pytest.approx(rate, abs=0.01)
    assert seen[seen > 0].unique().tolist() == pytest.approx([1 / (1 - rate)])


def test_nothing_is_dropped_when_answers_are_asked() -> None:
    layer = ImageDropout(0.5).eval()
    vectors = torch.rand(3, 4)
    assert layer(vectors, [3]) is vectors


def test_an_image_has_its_own_draws_whatever_stands_beside_it() -> None:
    both = dropped()
    assert torch.equal(both[:2], dropped(ids=(3,), counts=(2,)))
    assert torch.equal(both[2:], dropped(ids=(8,), counts=(5,)))


@pytest.mark.parametrize("other", [{"seed": 1}, {"step": 5}, {"ids": (3, 9)}], ids=str)
def test_seed_step_and_image_decide_the_draws(other: dict[str, int]) -> None:
    assert torch.equal(dropped(), dropped())
    assert not torch.equal(dropped(), dropped(**other))


def test_a_second_layer_draws_anew() -> None:
    layer = ImageDropout(0.5)
    layer.begin([3], seed=0, step=0, device=CPU)
    vectors = torch.ones(2, 400)
    assert not torch.equal(layer(vectors, [2]), layer(vectors, [2]))


def test_images_that_were_not_begun_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ImageDropout(0.5)(torch.ones(2, 4), [2])
