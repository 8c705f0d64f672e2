"""Everything that asks a promptable segmenter: models, prompts, and the image-to-proposals runner."""
