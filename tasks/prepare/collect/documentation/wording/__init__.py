"""How people word questions: a grammar of frames, names, and slips of the keyboard."""
