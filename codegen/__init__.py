"""Programs that print modules of the product from facts that others keep; `make crds` writes what they print."""
