"""A small saliency network as a real ONNX file, its protobuf written by hand: no library needed.

One convolution of 1 x 1 px and a sigmoid. Source: onnx.proto of the ONNX project; the numbers are
its fields.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FLOAT, INTS, VERSION, OPSET = 1, 7, 8, 13  # TensorProto.FLOAT, AttributeProto.INTS


def write_onnx(
    path: Path,
    *,
    weights: Sequence[float] = (4.0, 0.0, 0.0),
    bias: float = -2.0,
    side: int = 32,
    outputs: Sequence[str] = ("map", "logits"),
    channels: int = 1,
) -> Path:
    """Write a network whose `map` is sigmoid(weights . pixel + bias); `logits` is without sigmoid.

    Parameters
    ----------
    weights : of red, green, blue. outputs : names of its outputs, in order.
    channels : of its answer, all alike.
    """
    kernel = np.tile(np.float32(weights).reshape(1, 3, 1, 1), (channels, 1, 1, 1))
    square = _ints("kernel_shape", [1, 1])
    graph = b"".join(
        [
            _field(1, _node("Conv", ["image", "kernel", "bias"], ["logits"]) + _field(5, square)),
            _field(1, _node("Sigmoid", ["logits"], ["map"])),
            _field(2, "saliency"),
            _field(5, _tensor("kernel", kernel)),
            _field(5, _tensor("bias", np.full(channels, bias, np.float32))),
            _field(11, _value("image", [1, 3, side, side])),
            *(_field(12, _value(name, [1, channels, side, side])) for name in outputs),
        ]
    )
    opset = _field(1, "") + _field(2, OPSET)
    path.write_bytes(_field(1, VERSION) + _field(7, graph) + _field(8, opset))
    return path


def _varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def _field(number: int, value: int | str | bytes) -> bytes:
    """A field of a message: a number, or what has a length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _node(kind: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    names = [_field(1, name) for name in inputs] + [_field(2, name) for name in outputs]
    return b"".join(names) + _field(4, kind)


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _field(1, name) + b"".join(_field(8, value) for value in values) + _field(20, INTS)


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(_field(1, side) for side in values.shape)
    return dims + _field(2, FLOAT) + _field(8, name) + _field(9, values.astype("<f4").tobytes())


def _value(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _field(1, side)) for side in shape)
    kind = _field(1, _field(1, FLOAT) + _field(2, dims))
    return _field(1, name) + _field(2, kind)
