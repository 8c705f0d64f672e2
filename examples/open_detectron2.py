"""Open a trained detector with detectron2's DefaultPredictor: nothing of Maskmill is imported.

    python examples/open_detectron2.py results/demo/sapnet/train/detectron2/stock photo.jpg ...

prints one line of JSON for each detection: class, score, box (xyxy px), pixels of the mask.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

if not hasattr(Image, "LINEAR"):  # detectron2 0.6 names it at import; Pillow 10 dropped it
    Image.LINEAR = Image.BILINEAR

from detectron2.config import get_cfg
from detectron2.engine import DefaultPredictor


def opened(folder):
    """The predictor, and the names of its labels 0, 1, ..."""
    config = get_cfg()
    config.merge_from_file(str(folder / "config.yaml"), allow_unsafe=False)
    config.MODEL.WEIGHTS = str(folder / "model_final.pth")
    config.MODEL.DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
    saved = torch.load(config.MODEL.WEIGHTS, map_location="cpu", weights_only=True)
    return DefaultPredictor(config), [category["name"] for category in saved["categories"]]


def main(folder, *images):
    """Print what is found on each image."""
    predictor, classes = opened(Path(folder))
    for name in images:
        bgr = np.array(Image.open(name).convert("RGB"))[:, :, ::-1]  # as the predictor takes it
        found = predictor(bgr)["instances"].to("cpu")
        for k in range(len(found)):
            told = {"image": name, "class": classes[found.pred_classes[k]]}
            told |= {"score": found.scores[k].item(), "box": found.pred_boxes.tensor[k].tolist()}
            print(json.dumps({**told, "mask_area": int(found.pred_masks[k].sum())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
