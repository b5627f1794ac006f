"""What each layer adds, measured through the code that serves."""
