"""Prepare a picture of any kind as 28×28 pixels, the way MNIST prepared its digits.

A release that prepares pictures differently must change `checkpoint.PREPARATION`.
"""
