"""What masterdata knows about accounts, parties and mappings: pure values and rules."""
