"""The narrow seam to AWS: the calls that we make, in our own types."""
