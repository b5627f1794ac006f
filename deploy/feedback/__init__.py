"""What people think of the answers: the answers as they were given, and the ratings that are kept."""
