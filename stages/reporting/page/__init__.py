"""The page of a run: cards of its labels, what went in and came out; a folder without a server."""
