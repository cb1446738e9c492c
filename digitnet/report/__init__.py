"""A trained network as one web page."""
