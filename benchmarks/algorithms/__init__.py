"""What each algorithm of RLHF brings: `python -m benchmarks.algorithms`."""
