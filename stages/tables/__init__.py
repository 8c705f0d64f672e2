"""Every table that crosses a border: one file a table; how tables are read, written, checked."""
