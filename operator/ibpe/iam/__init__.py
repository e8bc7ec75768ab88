"""The IAM policies that the operator itself runs under: what it may do in AWS, and who may act as it. Pure."""
