"""Maskmill's stages: `ls stages/*.py` is the pipeline; run one as `python -m stages.<stage>`."""
