"""The papers' maths, one idea per file: pure functions on tensors, no files, no settings."""
