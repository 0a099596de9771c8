"""Other libraries: weights to and from them, and PyTorch as a reference."""
