"""detectron2's Mask R-CNN: network, heads, samples and weights of that engine."""
