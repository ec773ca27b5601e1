"""Scans with a ground truth, synthetic and real, to try a bundle on."""
