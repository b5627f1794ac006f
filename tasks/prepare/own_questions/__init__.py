"""Test sets of the user's own: documents to ask about, sheets to fill in, and what is wrong in those."""
