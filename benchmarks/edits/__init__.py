"""Whether typing, in whatever way, ever leads to other findings than the text itself."""
