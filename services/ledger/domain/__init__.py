"""What the ledger knows about bookkeeping: pure values and rules."""
