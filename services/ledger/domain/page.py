"""Lists are read in parts."""

from __future__ import annotations

After = tuple[str, str]  # the last row's time and key
