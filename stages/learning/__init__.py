"""Networks, bags and their training."""
