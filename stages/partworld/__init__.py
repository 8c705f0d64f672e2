"""The demo world: procedural scenes with exact masks at five levels, and its tiny SAM's training."""
