"""What the ledger needs of other systems."""
