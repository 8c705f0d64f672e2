"""The weight transfer against tests/golden/boxes.json and a slow loop."""

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from stages.box_supervision.transfer import WeightTransfer

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())


def tensor(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def given_transfer() -> WeightTransfer:
    case = GOLDEN["weight_transfer"]
    transfer = WeightTransfer(2, hidden=case["hidden_multiplier"], leaky=case["leaky_slope"])
    transfer.double().load_state_dict(
        {
            "first.weight": tensor(case["fc1_weight"]),
            "first.bias": tensor(case["fc1_bias"]),
            "second.weight": tensor(case["fc2_weight"]),
            "second.bias": tensor(case["fc2_bias"]),
            "scale": tensor(case["bias_scale_k"]),
            "shift": tensor(case["bias_shift_b"]),
        }
    )
    return transfer


def slow(transfer: WeightTransfer, rows: np.ndarray) -> np.ndarray:
    """Each output channel, each unit, one after the other."""
    layers = [
        (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for layer in (transfer.first, transfer.second)
    ]
    made = np.zeros_like(rows)
    for number, row in enumerate(rows):
        hidden = []
        for unit, offset in zip(*layers[0], strict=True):
            total = offset + sum(w * v for w, v in zip(unit, row, strict=True))
            hidden.append(total if total > 0 else transfer.leaky * total)
        for place, (unit, offset) in enumerate(zip(*layers[1], strict=True)):
            made[number, place] = offset + sum(w * v for w, v in zip(unit, hidden, strict=True))
    return made


def test_golden() -> None:
    case, transfer = GOLDEN["weight_transfer"], given_transfer()
    weak = tensor(case["weak_conv_weight_OI"])[:, :, None, None].requires_grad_()
    bias = tensor(case["weak_conv_bias_O"]).requires_grad_()
    weight, shifted = transfer(weak, bias)
    np.testing.assert_allclose(
        weight.detach()[:, :, 0, 0].numpy(), case["transferred_weight_OI"], atol=1e-6
    )
    np.testing.assert_allclose(shifted.detach().numpy(), case["transferred_bias_O"], atol=1e-6)
    output = F.conv2d(tensor([case["input_CHW"]]), weight, shifted)[0]
    np.testing.assert_allclose(output.detach().numpy(), case["output_OHW"], atol=1e-6)
    output.square().sum().backward()
    assert weak.grad is None
    assert bias.grad is None
    learned = [part.grad is not None and bool((part.grad != 0).any()) for part in _parts(transfer)]
    assert all(learned)
    assert case["grad_reaches_transfer_mlp"]
    assert not case["grad_reaches_weak_conv"]


def _parts(transfer: WeightTransfer) -> list[torch.nn.Parameter]:
    return list(transfer.parameters())


def test_the_transfer_is_that_of_a_loop_over_channels() -> None:
    torch.manual_seed(0)
    transfer = WeightTransfer(18, hidden=2).double()
    weak = torch.randn(3, 2, 3, 3, dtype=torch.float64)
    seen, _ = transfer(weak, torch.zeros(3, dtype=torch.float64))
    assert seen.shape == weak.shape
    wanted = slow(transfer, weak.flatten(1).numpy())
    np.testing.assert_allclose(seen.detach().flatten(1).numpy(), wanted, atol=1e-12)


def test_biases_are_kept_at_first() -> None:
    bias = torch.tensor([0.5, -2.0])
    _, made = WeightTransfer(3)(torch.zeros(2, 3, 1, 1), bias)
    assert made.tolist() == bias.tolist()
