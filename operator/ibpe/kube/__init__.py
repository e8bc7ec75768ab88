"""The seam to Kubernetes: the watch, reading and writing our resources, events."""
