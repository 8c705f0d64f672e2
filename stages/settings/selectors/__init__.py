"""Keys of the selectors, one file each: blocks of the section `select`."""
