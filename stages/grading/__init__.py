"""How far a pseudo-label can be trusted, without ground truth: evidence, and a model of it."""
