"""Synthetic pictures for training: distorted digits, drawn digits, non-digits."""
