"""What results are worth: COCO's average precision and the quality of labels. Pure functions."""
