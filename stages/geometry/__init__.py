"""Pure functions on boxes and masks."""
