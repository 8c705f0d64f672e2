"""The network of BoxCaseg: a backbone, and heads that say of each pixel if it is the object.

BoxCaseg (CVPR 2021), Sec. 3. Each head is a 1x1 convolution, norm, ReLU and a 1x1 convolution to
one logit, on the same map. The weak head learns from boxes, the salient head from masks, and the
transferred head has the weak one's weights, translated. What is learned from masks, and asked, is
the mix of the last two. Which heads there are is the paper's Table 4.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.box_supervision.head_mix import mixed_logits
from stages.box_supervision.transfer import WeightTransfer
from stages.runtime.weights import read_weights
from stages.segmenters.crop_backbones import BACKBONES, Concatenated, load_weights, reason_of
from stages.settings.segmenters.boxcaseg import Settings

HEADS = {  # by propose.boxcaseg.heads
    "weak_only": ("weak",),
    "salient_only": ("salient",),
    "weak_salient": ("weak", "salient"),
    "weak_transferred": ("weak", "transferred"),
    "all": ("weak", "salient", "transferred"),
}


class Head(nn.Module):
    """(n, c, rows, columns) to (n, rows, columns) logits."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 1)
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits of each cell."""
        logits: Tensor = self.last(F.relu(self.norm(self.first(features))))
        return logits[:, 0]


class TransferredHead(nn.Module):
    """A head whose convolutions are made from another's; its norm is its own."""

    def __init__(self, width: int, *, hidden: int, leaky: float):
        super().__init__()
        self.first = WeightTransfer(width, hidden=hidden, leaky=leaky)
        self.norm = nn.BatchNorm2d(width)
        self.last = WeightTransfer(width, hidden=hidden, leaky=leaky)

    def forward(self, features: Tensor, weak: Head) -> Tensor:
        """Logits of each cell; no gradient reaches the weak head."""
        first = self.first(weak.first.weight, weak.first.bias)
        last = self.last(weak.last.weight, weak.last.bias)
        hidden = F.relu(self.norm(F.conv2d(features, *first)))
        return F.conv2d(hidden, *last)[:, 0]

    @torch.no_grad()
    def folded(self, weak: Head) -> Head:
        """A plain head that answers as this one does, for asking: its weights are constants."""
        head = Head(self.norm.num_features).to(weak.first.weight.device)
        for conv, transfer, source in (
            (head.first, self.first, weak.first),
            (head.last, self.last, weak.last),
        ):
            weight, bias = transfer(source.weight, source.bias)
            conv.weight.copy_(weight)
            assert conv.bias is not None
            conv.bias.copy_(bias)
        head.norm.load_state_dict(self.norm.state_dict())
        return head


class CropNetwork(nn.Module):
    """Says for each pixel of a crop whether it belongs to the object, head by head."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.salient_weight = settings.salient_weight
        self.backbone = Concatenated(BACKBONES[settings.backbone](), settings.channels)
        width, names = self.backbone.width, HEADS[settings.heads]
        self.heads = nn.ModuleDict({n: Head(width) for n in names if n != "transferred"})
        if "transferred" in names:
            self.heads["transferred"] = TransferredHead(
                width, hidden=settings.mlp_hidden, leaky=settings.leaky
            )
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = settings.training.norm_momentum

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Logits of each head, and `mixed`, which is asked.

        Parameters
        ----------
        pixels : (n, 3, h, w), normalised.

        Returns
        -------
        (n, h, w) each: the heads' own grids, enlarged.
        """
        features = self.backbone(pixels)
        found = {name: self._of(name, features) for name in self.heads}
        large = {name: _enlarged(logits, pixels) for name, logits in found.items()}
        return {**large, "mixed": mixed(large, self.salient_weight)}

    def _of(self, name: str, features: Tensor) -> Tensor:
        head = self.heads[name]
        logits: Tensor = (
            head(features, self.heads["weak"])
            if isinstance(head, TransferredHead)
            else head(features)
        )
        return logits

    def fold(self) -> "CropNetwork":
        """Replace the transferred head by a plain one, and end training; returns the network."""
        head, weak = self.heads["transferred"] if "transferred" in self.heads else None, None
        if isinstance(head, TransferredHead):
            weak = self.heads["weak"]
            assert isinstance(weak, Head)
            self.heads["transferred"] = head.folded(weak)
        return self.eval()


def _enlarged(logits: Tensor, pixels: Tensor) -> Tensor:
    return F.interpolate(logits[:, None], pixels.shape[-2:], mode="bilinear")[:, 0]


def mixed(found: Mapping[str, Tensor], salient_weight: float) -> Tensor:
    """What is asked: the mix of both heads that saw masks, the one there is, or the weak head."""
    if "salient" in found and "transferred" in found:
        return mixed_logits(found["salient"], found["transferred"], salient_weight=salient_weight)
    return found.get("salient", found.get("transferred", found.get("weak", Tensor())))


def started_network(settings: Settings) -> CropNetwork:
    """A network to be trained, its backbone from the weight file that the settings name.

    Raises
    ------
    ValueError : the weight file is missing, another one, or of another network.
    """
    network = CropNetwork(settings)
    if settings.checkpoint:
        load_weights(network.backbone.body, Path(settings.checkpoint), settings.sha256)
    return network


def fitted_crop_network(path: Path, settings: Settings) -> CropNetwork:
    """The trained network of a model file, folded, for asking.

    Raises
    ------
    ValueError : it is missing, not one of ours, or was made with other settings.
    """
    network = CropNetwork(settings)
    if not path.is_file():
        raise ValueError(f"{path}: this model is missing. Run snakemake to make it.")
    saved = read_weights(path)
    try:
        network.load_state_dict(saved["state"])
    except Exception as error:  # torch raises many kinds for damaged files and other shapes
        raise ValueError(
            f"{path}: does not fit propose.boxcaseg ({reason_of(error)}). Remove it and run "
            "snakemake again."
        ) from error
    return network.fold()
