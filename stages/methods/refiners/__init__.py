"""Ways to turn scores into pseudo-labels."""
