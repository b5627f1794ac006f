"""Documents: files read as text, and what is added, replaced and deleted while the assistant answers."""
