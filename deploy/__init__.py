"""The runtime: what answers in production. Imports neither `tasks` nor `flows`."""
