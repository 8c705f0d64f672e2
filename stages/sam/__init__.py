"""Everything that asks a promptable segmenter: models, prompts, image to proposals."""
