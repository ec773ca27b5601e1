"""Read scans and write label maps: one module per family of formats, and what they share."""
