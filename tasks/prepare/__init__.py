"""From sources to split rows and an index: the stages before training, each a file or a package."""
