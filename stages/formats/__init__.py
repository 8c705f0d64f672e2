"""Label formats that people have: one file a format, behind one door."""
