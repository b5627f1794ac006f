"""How ranking is learned: questions with what answers them, a query encoder or a reranker, and a verdict."""
