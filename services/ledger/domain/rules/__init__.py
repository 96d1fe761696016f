"""Which effects an event has in the books: ACCOUNTING.md as data and code, a file a family of events."""
