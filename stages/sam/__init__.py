"""All that asks a promptable segmenter: models, prompts, and the runner of one image."""
