"""What keeps the questions of tests out of training: of sets of the user's own, and of listed ones."""
