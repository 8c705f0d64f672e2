"""The demo world: procedural scenes with exact masks at five levels, and its SAM at school."""
