"""Find marks in the ink: groups of components, frames, rows of text, sheets of paper."""
