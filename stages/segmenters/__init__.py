"""Promptable models behind one door; the one room that imports segment_anything."""
