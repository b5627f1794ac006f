"""The server: the assistant behind an OpenAI-compatible interface, with a page to talk to it."""
