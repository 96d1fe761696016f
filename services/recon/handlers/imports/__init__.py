"""Files and settlements as they come in: read aside first, then stored in one commit."""
