"""Separate ink from paper, whatever the light."""
