"""From what is printed to what it means: names, shapes, typed terms."""
