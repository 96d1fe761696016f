"""A stand-in for Dummy's API: what the gateway polls, for tests. Served over HTTP by `providers.fake_server`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from providers.fake_server import Answer, Parameters


class FakeDummy:
    """Lists movements, given in any order, for whoever knows the key."""

    def __init__(self, key: str, movements: Sequence[dict[str, Any]]) -> None:
        self._key = key
        self._movements = sorted(movements, key=lambda movement: str(movement["created"]), reverse=True)

    def answer(self, path: str, parameters: Parameters, authorization: str) -> Answer:
        """What Dummy would answer a GET."""
        if authorization != f"Bearer {self._key}":
            return HTTPStatus.UNAUTHORIZED, {"error": "unknown key"}
        if path != "/v1/movements":
            return HTTPStatus.NOT_FOUND, {"error": "no such resource"}
        asked = dict(parameters)
        since, limit = datetime.fromisoformat(asked["since"]), int(asked["limit"])
        found = [movement for movement in self._movements if datetime.fromisoformat(movement["created"]) >= since]
        if "after" in asked:
            found = found[[movement["id"] for movement in found].index(asked["after"]) + 1 :]
        return HTTPStatus.OK, {"movements": found[:limit], "more": len(found) > limit}
