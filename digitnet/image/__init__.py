"""A picture of a digit, of any kind, to 28×28 pixels the way MNIST made its own.

A release that changes what comes out needs a new name for it, `checkpoint.PREPARATION`.
"""
