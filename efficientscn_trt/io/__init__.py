"""Scans in, label maps out: one module a family of formats, and what they share."""
