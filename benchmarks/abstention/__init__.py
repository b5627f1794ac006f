"""Whether what counts as abstaining is what a reader takes for it."""
