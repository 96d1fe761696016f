"""What a repeated message adds to a known event: references and details that are no part of the digest."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from libs.events import Body, Event, Party

_NOTHING: tuple[Any, ...] = ("", None, ())


def enriched(known: Event, repeated: Event) -> Event:
    """The known event with what only the other one tells; the same value if it tells nothing new.

    Only for events of one digest. What is known is never replaced.
    """
    new = tuple(reference for reference in dict.fromkeys(repeated.references) if reference not in known.references)
    body = _filled(known.body, repeated.body)
    if not new and body is known.body:
        return known
    return replace(known, references=known.references + new, body=body)


def _filled(known: Body, repeated: Body) -> Body:
    found: dict[str, Any] = {}
    for field in fields(known):
        mine, theirs = getattr(known, field.name), getattr(repeated, field.name, None)
        if isinstance(mine, Party) and isinstance(theirs, Party):
            if theirs.external_id and not mine.external_id:
                found[field.name] = theirs
        elif mine in _NOTHING and theirs not in _NOTHING:
            found[field.name] = theirs
    return replace(known, **found) if found else known
