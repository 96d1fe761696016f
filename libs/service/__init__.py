"""What every process is made of: what its workers are handed, and the plumbing that each `main.py` uses."""
