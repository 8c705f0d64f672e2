"""The mathematics of learning masks from boxes, one idea per file: pure functions."""
