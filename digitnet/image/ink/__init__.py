"""Separate ink from paper, however a picture is lit."""
