"""Kubernetes operator that makes an AWS VPC able to run EC2 Image Builder privately, and keeps it so."""

__version__ = "0.1.0"
