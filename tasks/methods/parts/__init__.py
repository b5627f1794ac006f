"""What adaptation methods are made of: targets, masks, tuners, optimisers, files."""
