"""What to train, on what and how: a YAML file as a frozen, checked `Config`.

Imports no NumPy, so that mistakes are told at once.
"""
