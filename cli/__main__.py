"""`python -m cli`: what .venv/bin/concord runs."""

from cli.main import main

main()
