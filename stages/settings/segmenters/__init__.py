"""Keys of the segmenters, one file each: blocks of the section `propose`."""
