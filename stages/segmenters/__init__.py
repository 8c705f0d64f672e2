"""Promptable models behind one door; what imports segment_anything, and transformers."""
