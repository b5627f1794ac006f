"""The stages that make a bundle. Knows files and maths; no orchestrator, no web framework."""
