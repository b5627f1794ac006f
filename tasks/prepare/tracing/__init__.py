"""What became of rows: read from what the stages have kept, of which nothing is changed here."""
