"""`python -m ibpe.cli` is `ibpe`."""

from ibpe.cli import main

main()
