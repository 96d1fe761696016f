"""Dummy's list of movements, newest first: the safety net under its webhooks."""

from __future__ import annotations

from datetime import datetime

from libs.errors import ConcordError
from libs.events import Event
from libs.formats.strict_json import parse_json
from providers.base import ApiQuery, Delivery, ListPlace, Problem, Translation
from providers.reading import Shape

from .movements import from_message, movement_event

PAGE_TYPE = "movements"
PAGE_SIZE = 100
MAX_PAGE_BYTES = 8 * 1024 * 1024
NO_MONEY = "CONCERNS_NO_MONEY"


def query(since: datetime, after: str) -> ApiQuery:
    window = (("limit", str(PAGE_SIZE)), ("since", since.isoformat()))
    return ApiQuery("/v1/movements", (*window, ("after", after)) if after else window)


def place(body: bytes) -> ListPlace:
    listed = _listed(body)
    rows = listed.shapes("movements")
    newest = max((row.iso_instant("created") for row in rows), default=None)
    return ListPlace(newest, rows[-1].text("id") if rows else "", listed.flag("more"))


def translate(delivery: Delivery) -> Translation:
    """Each sound movement's event, oldest first; one that is not becomes a problem and stops no other."""
    events: list[Event] = []
    problems: list[Problem] = []
    for row in _listed(delivery.body).shapes("movements"):
        try:
            events.append(movement_event(from_message(row), delivery))
        except ConcordError as error:
            problems.append(Problem(error.reason, str(error)))
    events.sort(key=lambda event: (event.effective_at, event.name))
    return Translation(tuple(events), "" if events or problems else NO_MONEY, tuple(problems))


def _listed(body: bytes) -> Shape:
    return Shape(parse_json(body, max_bytes=MAX_PAGE_BYTES))
