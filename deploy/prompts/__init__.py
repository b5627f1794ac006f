"""Prompt templates: `.prompty` files with YAML front matter and a Jinja body, and what renders them."""
