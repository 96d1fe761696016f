"""One use case a file: command in, dependencies as arguments, one transaction, one commit."""
