"""Reading pictures of strangers."""
