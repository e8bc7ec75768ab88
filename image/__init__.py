"""The container image: what builds it, and what the Dockerfile runs while it is built. No part of the product."""
