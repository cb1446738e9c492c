"""A trained network: how it is kept, what it answers, and how good it is."""
