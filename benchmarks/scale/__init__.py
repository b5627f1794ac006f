"""How the search fares with ten thousand, a hundred thousand and a million passages."""
