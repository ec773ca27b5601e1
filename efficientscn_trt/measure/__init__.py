"""Time and memory of the pipeline, each account taken in a process of its own."""
