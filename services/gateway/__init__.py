"""The edge: partners' deliveries come in, are proved and kept, and leave as canonical events."""
