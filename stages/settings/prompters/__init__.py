"""Keys of the prompters, one file each: entries of the list `prompt.sources`."""
