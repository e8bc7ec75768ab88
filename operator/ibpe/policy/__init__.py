"""Endpoint policies: reading, comparing and explaining them, and the ones that Image Builder needs."""
