"""Open a trained detector with torchvision alone: nothing of Maskmill is imported.

    python examples/open_torchvision.py results/demo/sapnet/train/torchvision/stock photo.jpg ...

prints one line of JSON for each detection: class, score, box (xyxy px), pixels of the mask.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FrozenBatchNorm2d


def opened(folder):
    """The network, ready to predict, and the names of its labels 0, 1, ..."""
    c = json.loads((folder / "config.yaml").read_text())
    w, classes, grouped = c["fpn_channels"], len(c["classes"]), c["groups"]

    def group(n):
        return torch.nn.GroupNorm(next(g for g in grouped if n % g == 0 and n > g), n)

    norm, head_norm = (group, group) if grouped else (FrozenBatchNorm2d, None)
    body = getattr(torchvision.models, c["backbone"])(weights=None, norm_layer=norm)
    model = MaskRCNN(
        BackboneWithFPN(body, c["levels"], c["widths"], w, norm_layer=head_norm),
        rpn_anchor_generator=AnchorGenerator(c["anchor_sizes"], c["aspect_ratios"]),
        box_head=TwoMLPHead(49 * w, 4 * w),
        box_predictor=FastRCNNPredictor(4 * w, classes),
        mask_head=MaskRCNNHeads(w, (w,) * 4, 1, norm_layer=head_norm),
        mask_predictor=MaskRCNNPredictor(w, w, classes),
        **c["arguments"],
    )
    model.load_state_dict(torch.load(folder / "model_final.pth", weights_only=True))
    return model.eval(), c["classes"]


def main(folder, *images):
    """Print what is found on each image."""
    model, classes = opened(Path(folder))
    for name in images:
        pixels = torch.from_numpy(np.array(Image.open(name).convert("RGB"))).permute(2, 0, 1)
        with torch.inference_mode():
            found = model([pixels.float() / 255])[0]
        columns = (found[name] for name in ("boxes", "labels", "scores", "masks"))
        for box, label, score, mask in zip(*columns, strict=True):
            told = {"image": name, "class": classes[label], "score": score.item()}
            area = int((mask > 0.5).sum())
            print(json.dumps({**told, "box": box.tolist(), "mask_area": area}))


if __name__ == "__main__":
    main(*sys.argv[1:])
