"""How a reranker is made: questions with what the search finds, learning from them, and a verdict."""
