"""Settings: one file per config section; each key with its default, range and meaning, once.

`config.schema.yaml` is generated from these classes, and a test holds `config.yaml` against them.
"""
