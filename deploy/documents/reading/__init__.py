"""Files that people have become text: one reader a format, each from bytes to a title and Markdown."""
