"""Printed equations against programs: PyTorch's forward pass, a package's backward pass."""
