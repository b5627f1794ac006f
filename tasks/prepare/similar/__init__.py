"""What is nearly the same: of texts by their words, of rows by what the difference is in, too."""
