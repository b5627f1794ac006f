"""Documents that are added, replaced and deleted while the assistant answers, beside those of the bundle."""
