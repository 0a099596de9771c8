"""The kinds of numbers in which both sides of an equation are computed."""
