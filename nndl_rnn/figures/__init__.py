"""Figures of the book: plots, diagrams, and figures with sliders."""
