"""One step per module: `run(context)` returns its result for the report."""
