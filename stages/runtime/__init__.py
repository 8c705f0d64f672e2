"""What a program needs to run: arguments, errors, progress, files, devices, provenance."""
