"""What the ledger does by itself: each worker takes what is due and commits it."""
