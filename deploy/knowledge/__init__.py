"""Knowledge: SQLite holds the truth; FAISS and BM25 are indexes derived from it."""
