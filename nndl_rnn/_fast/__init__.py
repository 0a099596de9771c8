"""The fused passes over whole sequences behind ``forward`` and ``backward``."""
