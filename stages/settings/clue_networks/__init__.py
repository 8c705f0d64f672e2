"""Keys of the networks of clues, one file each: blocks of the section `fit_prompt`."""
