"""Instructions hidden in documents: what each layer makes of them."""
