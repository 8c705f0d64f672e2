"""All that the Snakefile imports beside the settings; no stage imports it."""
