"""Keys of the refiners, one file each: blocks of the section `refine`."""
