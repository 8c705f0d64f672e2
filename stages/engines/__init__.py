"""Libraries that train a detector, behind one interface: `train` and `predict`."""

from PIL import Image

if not hasattr(Image, "LINEAR"):  # detectron2 0.6 names it at import; Pillow 10 dropped it
    Image.LINEAR = Image.BILINEAR  # type: ignore[attr-defined]
