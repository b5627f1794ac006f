"""Does little and chosen beat much and noisy? See `python -m benchmarks.choosing --help`."""
