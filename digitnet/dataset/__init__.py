"""Labelled pictures of digits, from whatever a path holds, as arrays ready for training."""
