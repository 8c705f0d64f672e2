"""detectron2's Mask R-CNN: network, heads, samples and weights of that engine."""

from PIL import Image

if not hasattr(Image, "LINEAR"):  # detectron2 0.6 names it at import; Pillow 10 dropped it
    Image.LINEAR = Image.BILINEAR  # type: ignore[attr-defined]
