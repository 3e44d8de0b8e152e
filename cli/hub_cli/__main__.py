"""`python -m hub_cli` is `hub`."""

from hub_cli.app import main

main()
