"""Concrete DropBlock: how much is hidden, what a block is, and who learns what."""

import pytest
import torch

from stages.mil import drop_block


def test_the_mean_odds_are_bounded_for_each_proposal() -> None:
    logits = torch.stack([torch.full((7, 7), 9.0), torch.full((7, 7), -9.0)])
    odds = drop_block.centre_odds(logits, rate=0.3, block=3)
    assert odds[0].mean().item() == pytest.approx(0.3 / 9)
    torch.testing.assert_close(odds[1], logits[1].sigmoid())


def test_draws_come_as_often_as_their_odds_say() -> None:
    noise = torch.rand(20000, generator=torch.Generator().manual_seed(1))
    for odds in (0.05, 0.5, 0.9):
        drawn = drop_block.concrete(torch.full_like(noise, odds), noise, temperature=0.3)
        assert (drawn > 0.5).float().mean().item() == pytest.approx(odds, abs=0.01)


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_odds_and_noise_at_their_ends_are_finite(edge: float) -> None:
    ends = torch.tensor([0.0, 0.5, 1.0], requires_grad=True)
    drawn = drop_block.concrete(ends, torch.full((3,), edge), temperature=0.3)
    drawn.sum().backward()
    assert torch.isfinite(drawn).all()
    assert ends.grad is not None
    assert torch.isfinite(ends.grad).all()


def test_a_centre_hides_its_block_and_is_cut_at_the_border() -> None:
    centres = torch.zeros(1, 5, 5)
    centres[0, 2, 2] = centres[0, 0, 4] = 0.9
    keep = drop_block.kept_cells(centres, block=3)[0]
    wanted = torch.ones(5, 5)
    wanted[1:4, 1:4] = 0
    wanted[0:2, 3:5] = 0
    torch.testing.assert_close(keep, wanted)


def test_hiding_keeps_the_mean_and_all_hidden_is_finite() -> None:
    cells = torch.ones(2, 3, 2, 2)
    keep = torch.tensor([[[1.0, 0], [1, 0]], [[0, 0], [0, 0]]])
    hidden = drop_block.hidden_blocks(cells, keep)
    assert hidden[0].mean().item() == pytest.approx(1)
    assert not hidden[1].any()


def test_the_adversary_climbs_where_the_network_descends() -> None:
    values = torch.tensor([2.0], requires_grad=True)
    (drop_block.adversarial(values) * 3).sum().backward()
    assert values.grad is not None
    assert values.grad.item() == -3.0


def test_an_adversary_learns_to_hide_what_the_loss_needs() -> None:
    torch.manual_seed(0)
    logits = torch.zeros(1, 5, 5, requires_grad=True)
    cells = torch.zeros(1, 1, 5, 5)
    cells[0, 0, 2, 2] = 1.0  # the one cell that answers
    optimizer = torch.optim.SGD([logits], 20.0)
    for _ in range(60):
        odds = drop_block.centre_odds(logits, rate=0.3, block=1)
        centres = drop_block.concrete(odds, torch.rand(1, 5, 5), temperature=0.3)
        keep = drop_block.adversarial(drop_block.kept_cells(centres, block=1))
        loss = 1 - drop_block.hidden_blocks(cells, keep).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    odds = drop_block.centre_odds(logits, rate=0.3, block=1)
    assert odds[0, 2, 2] == odds.max()
    assert odds[0, 2, 2] > 2 * odds.median()
