"""Questions in people's own words: written without a look at the templates that training rows come from."""
