"""Parsers of banks' and other standards' formats: bytes in, checked immutable values out; nothing is repaired.

`camt` and `statement`: bank statements. `strict_json`: webhook bodies. What one provider alone sends is read in
`providers`. Every refusal is a `FormatError` with a stable reason and the place in the file.
"""
