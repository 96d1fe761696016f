"""Traces, metrics and logs of every service. Read `setup.py` first, then `trace.py`.

The transaction id is the trace id. Business steps are always recorded; technical spans for a tenth of the traces.
"""
