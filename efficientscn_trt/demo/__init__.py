"""Scans with a known truth, drawn and real, for those who have none of their own."""
