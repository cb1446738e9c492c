"""Read a YAML config file into a frozen, checked `Config`.

The package imports no NumPy, so that mistakes in a config are reported without delay.
"""
