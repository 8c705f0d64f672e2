"""The borders between stages: tables, images, atomic writing, provenance."""
