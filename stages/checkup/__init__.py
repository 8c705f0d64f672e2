"""What a run needs of its machine, looked at before it starts."""
