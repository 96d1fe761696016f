"""Parsers of what banks, providers and partners send: bytes in, checked immutable values out; nothing is repaired.

`camt` and `statement`: bank statements. `stripe_report`: settlements. `strict_json`: webhook bodies.
Every refusal is a `FormatError` with a stable reason and the place in the file.
"""
