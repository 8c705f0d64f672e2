"""Text and pictures of what the stages did, for a person to look at."""
