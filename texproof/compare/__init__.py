"""Whether an equation holds: the unrolled network, its derivatives, claims."""
