"""The network: what it computes, its cost, and the gradient. Begin with `plain.py`."""
