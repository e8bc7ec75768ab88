"""Measurements of the operator against targets; `make bench` runs them. Knows the sandbox; no test depends on it."""
