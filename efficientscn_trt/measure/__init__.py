"""Measure time and memory of the pipeline, each measurement in a process of its own."""
