"""The stages that train, each a file; what they share lies beside them and in the rooms below."""
