"""The made-up provider's own list, asked page by page as the gateway asks it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx

from providers.base import Secrets
from providers.dummy import API, Dummy
from providers.dummy.fake_api import FakeDummy
from providers.fake_server import FakeServer

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_list_is_asked_to_its_end_and_only_with_the_key() -> None:
    times = [(BEGAN + timedelta(minutes=number)).isoformat() for number in range(250)]
    movements = [{"id": f"mov_{number}", "created": time} for number, time in enumerate(times)]
    fake, dummy, found, after = FakeDummy("live_1", movements), Dummy(Secrets(())), [], ""
    server = FakeServer(fake.answer)
    try:
        for _ in range(3):
            query = dummy.movements(BEGAN + timedelta(minutes=50), after)
            answer = httpx.get(server.url + query.path, params=dict(query.parameters), headers=API.headers("live_1"))
            found += [row["id"] for row in json.loads(answer.content)["movements"]]
            page = dummy.page(answer.content)
            after = page.last_id
        assert httpx.get(server.url + query.path, params=dict(query.parameters)).status_code == HTTPStatus.UNAUTHORIZED
    finally:
        server.close()
    assert found == [f"mov_{number}" for number in range(249, 49, -1)]
    assert not page.has_more
