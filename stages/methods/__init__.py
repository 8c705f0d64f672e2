"""The papers' choices: prompters, selectors and refiners, one file a method, each behind a door."""
