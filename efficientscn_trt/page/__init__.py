"""The page about a segmented scan: one HTML file for a browser, or for paper."""
