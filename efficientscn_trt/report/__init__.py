"""Pictures of a label map."""
