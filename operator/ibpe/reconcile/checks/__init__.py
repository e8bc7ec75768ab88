"""Checks before any write, one question each, by what they look at. All pure."""
