"""Find marks in the ink: components, groups, frames, rows, sheets of paper."""
