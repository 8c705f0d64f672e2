"""Maskmill's stages: `ls stages/*.py` is the pipeline, each program runs as `python -m stages.<stage>`."""
