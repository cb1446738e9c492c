"""Trained models: load, save, predict, evaluate, compare, calibrate."""
