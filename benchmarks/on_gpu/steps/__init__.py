"""One step a file: `run(context)` returns what the report says of it."""
