"""What is done to the pseudo-labels of an image once they are made: pure functions."""
