"""Libraries that train a detector, behind one interface: `train` and `predict`."""
