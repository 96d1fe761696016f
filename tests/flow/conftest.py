"""One day, played once through the real suite with an OTLP endpoint listening; the flow tests look at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.demo.command import Played, played_day
from tests.telemetry.otlp_receiver import OtlpReceiver, otlp_receiver


@dataclass(frozen=True, slots=True)
class Watched:
    """The day, its suite still running, and every span that it sent."""

    played: Played
    spans: OtlpReceiver


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder: Path = tmp_path_factory.mktemp("flow") / "day"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONCORD_", "OTEL_"))}
    with otlp_receiver() as spans:
        environment = {**clean, "OTEL_EXPORTER_OTLP_ENDPOINT": spans.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "500"}
        with played_day(folder, environment, lambda _: None) as played:
            yield Watched(played, spans)
