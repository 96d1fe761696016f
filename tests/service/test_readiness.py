from __future__ import annotations

import grpc
import pytest

from libs.errors import ConcordError, Kind
from libs.service.readiness import Readiness, health_loop
from tests.eventually import eventually
from tests.rpc.echo import NOT_SERVING, SERVING, health_of, serving


class Away(ConcordError):
    kind = Kind.RETRY
    reason = "STORAGE_UNAVAILABLE"


class Told:
    def __init__(self) -> None:
        self.said: list[bool] = []

    def set_serving(self, serving: bool) -> None:
        self.said.append(serving)


@pytest.mark.parametrize("error", [Away("away"), ValueError("no such table")])
def test_health_is_told_of_changes_alone_whatever_the_probe_raises(error: Exception) -> None:
    answers: list[Exception | None] = [None, error, error, None, None]
    told = Told()

    def probe() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    readiness = Readiness(told, probe)
    for expected in list(answers):
        if expected is None:
            readiness.run_once()
        else:
            with pytest.raises(type(expected)):
                readiness.run_once()
    assert told.said == [False, True]


def test_a_running_server_says_not_serving_while_its_database_is_away() -> None:
    away = [True]

    def probe() -> None:
        if away[0]:
            raise Away("away")

    with serving() as server, grpc.insecure_channel(server.address) as channel:
        worker = health_loop(server, probe, poll_seconds=0.01)
        worker.start()
        eventually(lambda: health_of(channel, "concord.echo.v1.EchoService") == NOT_SERVING)
        away[0] = False
        eventually(lambda: health_of(channel, "concord.echo.v1.EchoService") == SERVING)
        assert worker.stop()
