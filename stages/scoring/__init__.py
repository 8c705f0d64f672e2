"""Truth and tables, made into what the metrics need."""
