"""What may be logged of an exception: where it happened and what kind it is, never its text.

Texts quote what they stumbled over (SQLAlchemy prints every bound parameter), so amounts, names and secrets
would end in the logs.
"""

from __future__ import annotations

import traceback

FRAMES = 30


def safe_stack(error: BaseException) -> str:
    """The error's class, frames and causes, innermost call last, one line each, without any message."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{'caused by ' if len(seen) > 1 else ''}{type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)[-FRAMES:]
        lines.extend(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(lines)
