"""Rows made of the documentation inside installed packages."""
