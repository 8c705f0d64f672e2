"""Ways to score the proposals of a bag, and to choose among them."""
