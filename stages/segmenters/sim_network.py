"""The network of SIM's teacher: torchvision's FCOS, a mask branch, and a controller.

SIM (Li et al., CVPR 2023), Sec. 3.1: BoxInst on CondInst. A backbone and an FPN give levels; at
each location of each level FCOS says a class, a box and how central it is, and the controller
makes the weights of a small head (`location_masks.py`) that says on the mask features of the image
where the object is. Where we depart: torchvision's parts; the controller has PyTorch's usual start,
which on 256 channels is about as wide as the authors' and stays so on fewer; boxes start two
strides away in each direction, for a ReLU of less than 0 learns nothing.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from stages.runtime.weights import read_weights
from stages.segmenters.crop_backbones import ResNetMaps, SmallMaps, load_weights, reason_of
from stages.segmenters.location_masks import MaskBranch, location_masks, numbers_of
from stages.settings.segmenters.sim import Settings

FINEST = {"small": 2}  # px, stride of a backbone's first map; a ResNet's is 4
START = 2.0  # strides from a location to the sides of its box, before anything is learned
MASK_LEVELS = 3  # that the mask features are made of: CondInst's P3 to P5


@dataclass(frozen=True, slots=True)
class Seen:
    """What the teacher makes of n images; its k locations are those of all levels, finest first.

    heads : as torchvision names them: cls_logits (n, k, c), bbox_regression (n, k, 4),
    bbox_ctrness (n, k, 1). controls : (n, k, numbers). masks : (n, dim, h, w) mask features.
    centres : (k, 2) x, y px of the network's input. strides : (k,) px. counts : locations of each
    level.
    """

    heads: dict[str, Tensor]
    controls: Tensor
    masks: Tensor
    centres: Tensor
    strides: Tensor
    counts: list[int]

    @property
    def cells(self) -> Tensor:
        """(k, 4) xyxy px: the square of its stride about each location, which boxes refer to."""
        half = self.strides[:, None] / 2
        return torch.cat([self.centres - half, self.centres + half], dim=1)

    def boxes(self, image: int, places: Tensor) -> Tensor:
        """(p, 4) xyxy px that these locations of an image predict."""
        ways = self.heads["bbox_regression"][image, places].float() * self.strides[places, None]
        middles = self.centres[places]
        return torch.cat([middles - ways[:, :2], middles + ways[:, 2:]], dim=1)

    def scores(self, image: int, places: Tensor, classes: Tensor) -> Tensor:
        """(p,) of 0 to 1: how sure locations are of a class each, times how central they are."""
        sure = self.heads["cls_logits"][image, places, classes].float().sigmoid()
        return sure * self.heads["bbox_ctrness"][image, places, 0].float().sigmoid()


class ControlledHead(FCOSHead):  # type: ignore[misc]
    """FCOS's head with a controller beside the boxes, which `heads` and `controls` come of."""

    def __init__(self, channels: int, *, classes: int, convs: int, numbers: int):
        super().__init__(channels, 1, classes, convs)
        self.controller = nn.Conv2d(channels, numbers, 3, padding=1)
        nn.init.constant_(self.regression_head.bbox_reg.bias, START)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        """(n, channels, h, w) of each level to the four maps, (n, k, ...) each."""
        side = self.regression_head
        towers = [side.conv(level) for level in x]
        return {
            "cls_logits": self.classification_head(x),
            "bbox_regression": _flat([F.relu(side.bbox_reg(tower)) for tower in towers]),
            "bbox_ctrness": _flat([side.bbox_ctrness(tower) for tower in towers]),
            "controls": _flat([self.controller(tower) for tower in towers]),
        }


def _flat(maps: Sequence[Tensor]) -> Tensor:
    """(n, c, h, w) of each level to (n, k, c), row after row."""
    return torch.cat([each.flatten(2).transpose(1, 2) for each in maps], dim=1)


class Teacher(nn.Module):
    """Finds objects, and says of each location which pixels are its object's.

    Parameters
    ----------
    category_ids : of the classes, rising; their places are the network's classes.
    """

    category_ids: Tensor

    def __init__(self, settings: Settings, category_ids: Sequence[int]):
        super().__init__()
        small, width = settings.backbone == "small", settings.channels
        self.body: nn.Module = SmallMaps() if small else ResNetMaps(settings.backbone)
        widths = [int(each) for each in self.body.widths]
        self.stride, self.hidden = settings.stride, settings.hidden
        self.skipped = int(self.stride / FINEST.get(settings.backbone, 4)).bit_length() - 1
        self.frozen = settings.checkpoint is not None
        used = widths[self.skipped :]
        self.fpn = FeaturePyramidNetwork(used, width, LastLevelP6P7(width, width))
        numbers = sum(numbers_of(settings.dim, settings.hidden))
        classes, convs = len(category_ids), settings.head_convs
        self.head = ControlledHead(width, classes=classes, convs=convs, numbers=numbers)
        levels = min(MASK_LEVELS, len(used))
        branch = {"width": settings.mask_channels, "convs": settings.mask_convs}
        self.branch = MaskBranch(width, **branch, dim=settings.dim, levels=levels)
        self.register_buffer("category_ids", torch.tensor(list(category_ids), dtype=torch.int64))

    def train(self, mode: bool = True) -> "Teacher":
        """Norms that came with weights are never learned: a batch is too small."""
        super().train(mode)
        for module in self.body.modules() if self.frozen else ():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, pixels: Tensor) -> Seen:
        """Look at images, (n, 3, h, w), normalised; sides of whole cells."""
        maps = self.body(pixels)[self.skipped :]
        named = OrderedDict((str(place), each) for place, each in enumerate(maps))
        levels = list(self.fpn(named).values())
        found = self.head(levels)
        controls = found.pop("controls")
        strides = [self.stride << place for place in range(len(levels))]
        parts = [_locations(m, s) for m, s in zip(levels, strides, strict=True)]
        counts = [len(part) for part in parts]
        of = torch.tensor(strides, dtype=torch.float32, device=pixels.device)
        each = of.repeat_interleave(torch.tensor(counts, device=pixels.device))
        return Seen(found, controls, self.branch(levels), torch.cat(parts), each, counts)

    def logits(self, seen: Seen, image: int, places: Tensor) -> Tensor:
        """(p, 2 h, 2 w) mask logits of locations of an image, in cells of half the stride."""
        return location_masks(
            seen.masks[image].float(),
            seen.controls[image, places].float(),
            seen.centres[places],
            seen.strides[places],
            hidden=self.hidden,
            cell=self.stride,
        )


def _locations(level: Tensor, stride: int) -> Tensor:
    """(h w, 2) x, y px: the middles of a map's cells, row after row."""
    height, width = level.shape[-2:]
    y, x = torch.meshgrid(
        (torch.arange(height, device=level.device) + 0.5) * stride,
        (torch.arange(width, device=level.device) + 0.5) * stride,
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def started_teacher(settings: Settings, category_ids: Sequence[int]) -> Teacher:
    """A network to be trained, its backbone from the weight file that the settings name.

    Norms, stem and first stage of a backbone with weights are not trained, as in BoxInst.

    Raises
    ------
    ValueError : the weight file is missing, another one, or of another network.
    """
    teacher = Teacher(settings, category_ids)
    if settings.checkpoint:
        path = Path(settings.checkpoint)
        load_weights(teacher.body, path, settings.sha256, block="propose.sim")
        inner = teacher.body.body
        norms = [m for m in teacher.body.modules() if isinstance(m, nn.BatchNorm2d)]
        for part in (inner.conv1, inner.layer1, *norms):  # type: ignore[union-attr]
            part.requires_grad_(False)
    return teacher


def fitted_teacher(path: Path, settings: Settings) -> Teacher:
    """The trained network of a model file, for asking.

    Raises
    ------
    ValueError : it is missing, not one of ours, or was made with other settings.
    """
    if not path.is_file():
        raise ValueError(f"{path}: this model is missing. Run snakemake to make it.")
    saved = read_weights(path)
    try:
        state = saved["state"]
        teacher = Teacher(settings, state["category_ids"].tolist())
        teacher.load_state_dict(state)
    except Exception as error:  # torch raises many kinds for damaged files and other shapes
        raise ValueError(
            f"{path}: does not fit propose.sim ({reason_of(error)}). Remove it and run snakemake "
            "again."
        ) from error
    return teacher.eval()
