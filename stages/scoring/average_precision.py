"""AP of what is scored by COCO's rules: the detector's predictions, and labels taken for them."""

from typing import Any

from stages.metrics.coco_ap import detector_ap
from stages.metrics.label_ap import label_ap
from stages.scoring.truth import read_results, scoring_truth
from stages.scoring.whole_run import has_tables
from stages.scoring.written import results_in
from stages.settings.evaluate import Evaluate


def detector_metrics(args: Any, settings: Evaluate) -> dict[str, Any] | None:
    """AP of the predictions; None without predictions or without ground truth of their images."""
    if not args.predictions or not args.val_ground_truth:
        return None
    return detector_ap(
        scoring_truth(args.val_ground_truth),
        read_results(args.predictions),
        recall_points=settings.recall_points,
        backend=settings.backend,
    )


def labels_as_detections(args: Any, settings: Evaluate) -> dict[str, Any] | None:
    """AP of the exported labels of the training images; None without ground truth or labels."""
    is_ours = args.exported and has_tables(args)
    if not settings.label_ap or not is_ours or not args.ground_truth:
        return None
    truth, labels = scoring_truth(args.ground_truth), results_in(args.exported)
    return label_ap(truth, labels, backend=settings.backend)
