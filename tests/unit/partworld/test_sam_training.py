import itertools
import math
from dataclasses import replace

import pytest
import torch

from stages.partworld.sam_scenes import SceneWindow
from stages.partworld.sam_training import Settings, Training, learning_rate

SMALL = Settings(seed=3, steps=60, images=2, points=3, warmup=5, window=2)


def test_the_learning_rate_warms_up_stays_and_decays() -> None:
    settings = Settings(seed=0, steps=1000, warmup=100)
    rates = [learning_rate(settings, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-5)
    assert set(rates[100:600]) == {1e-3}
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[600:]))
    assert rates[1000] == pytest.approx(1e-5)


def test_the_plateau_does_not_depend_on_the_number_of_steps() -> None:
    short, long = Settings(seed=0, steps=1000), Settings(seed=0, steps=5000)
    assert learning_rate(short, 500) == learning_rate(long, 500)


def test_the_loss_of_one_batch_falls_by_half_in_fifty_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.set_num_threads(1)
    training, window = Training(SMALL), SceneWindow(3, window=2)
    monkeypatch.setattr(training.scenes, "at", lambda step, count: window.at(0, count))
    losses = [training.advance()["point"] for _ in range(50)]
    assert all(math.isfinite(loss) for loss in losses)
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_a_restored_training_goes_on_exactly_as_before() -> None:
    torch.set_num_threads(1)
    settings = replace(SMALL, images=2, points=1)
    one = Training(settings)
    for _ in range(3):
        one.advance()
    other = Training(settings)
    other.restore(one.state())
    assert one.advance() == other.advance()
    for name, value in one.average.items():
        torch.testing.assert_close(value, other.average[name], rtol=0, atol=0)


def test_a_checkpoint_of_other_settings_is_refused() -> None:
    state = Training(SMALL).state()
    Training(replace(SMALL, steps=99)).restore(state)
    with pytest.raises(ValueError, match="another --out"):
        Training(replace(SMALL, seed=4)).restore(state)
