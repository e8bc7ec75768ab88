"""A real Kubernetes API server and an AWS that answers like AWS, on this machine."""
