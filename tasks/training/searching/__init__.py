"""The search for a method and its settings."""
