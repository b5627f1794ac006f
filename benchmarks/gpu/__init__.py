"""What a GPU does: speed, memory against the estimate, and the ways that only a GPU can go."""
