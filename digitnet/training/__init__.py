"""Gradient descent in minibatches, epoch after epoch."""
