"""Table `grades`: how far each pseudo-label can be trusted, and the evidence for it."""

import pyarrow as pa

from stages.tables.record import IMAGE, INSTANCE, Record, column

NUMBERS = {  # evidence: what the column holds, 0 to 1 where no unit is named; null: there is none
    "predicted_iou": "IoU that the segmenter predicts for the proposal that the mask started from",
    "stability": "of that proposal, at two thresholds",
    "bag_score": "of its bag for its class",
    "score_cls": "of that proposal, where the method has it",
    "score_ins": "likewise",
    "backed": "share of the bag's scores that masks of IoU 0.5 or more have",
    "agreement": "mean IoU with the masks of the bag, weighed by their scores",
    "spread": "mean IoU with the masks of the bag",
    "rival": "best score of a mask of IoU below 0.5, as a share of the best of all",
    "alike": "number of masks of the bag of IoU 0.8 or more, at most 20",
    "complete": "area as a share of the largest mask of the bag that holds it and shows the class",
    "others_inside": "number of points of other objects of the class in the mask, at most 3",
    "strangers_inside": "likewise of other classes",
    "overlap": "largest IoU with another label of the image",
    "covered": "largest share of the mask that another label covers",
    "covers": "largest share of another label that the mask covers",
    "pieces": "share of the largest connected part",
    "extent": "area as a share of the hull's",
    "size": "root of the area as a share of the image's",
    "border": "1: the mask reaches the border of the image",
    "inside": "share of the object's own points that lie in the mask",
    "depth": "distance of the first point from the mask's border, as a share of the greatest",
    "given_fit": "IoU of the mask's hull with the box that a person gave",
    "refined_fit": "IoU of the mask's hull with the box that refine found",
}
GRADES = Record(
    "grades",
    1,
    (
        IMAGE,
        INSTANCE,
        column("kind", pa.string(), "what the label rests on: mask, box, point or tag"),
        column("score", pa.float32(), "how sure it is that this is an object of its class, 0 to 1"),
        column("mask_quality", pa.float32(), "IoU that is expected of its mask, 0 to 1"),
        column(
            "reasons", pa.list_(pa.string()), "evidence that speaks against it, the worst first"
        ),
        *(column(name, pa.float32(), text, null=True) for name, text in NUMBERS.items()),
    ),
    ("image_id", "instance_id"),
    (("score", 0, 1), ("mask_quality", 0, 1)),
    {"kind": ("mask", "box", "point", "tag")},
)
