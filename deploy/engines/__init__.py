"""Engines: what generates text. One interface, an in-process one as the default."""
