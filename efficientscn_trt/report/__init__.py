"""What a person looks at: pictures of a label map."""
