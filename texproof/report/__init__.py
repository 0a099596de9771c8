"""What was found, for readers and for programs."""
