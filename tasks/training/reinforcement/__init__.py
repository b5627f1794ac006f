"""Proximal policy optimisation over adapters that share one base."""
