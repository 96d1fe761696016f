from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from libs.rpc.identity import issue_token
from libs.telemetry.logs import configure_logging, scrub
from libs.telemetry.trace import Tracer
from tests.rpc.echo import KEYS, SECRET
from tests.telemetry.spans import SAMPLED

TOKEN = issue_token(KEYS, "tests", ["viewer"])


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    level, before = root.level, root.handlers[:]
    stream = io.StringIO()
    configure_logging("ledger", "INFO", stream)
    yield stream
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_is_json_with_service_and_transaction(stream: io.StringIO) -> None:
    with Tracer(None).transaction("receive", SAMPLED):
        logging.getLogger("a").info("posted", extra={"posting": "companies/acme/postings/1"})
        logging.getLogger("b").warning("retried %s times", 3)
    logging.getLogger("b").debug("not shown")
    first, second = lines(stream)
    assert {first["trace_id"], second["trace_id"], first["transaction_id"], second["transaction_id"]} == {SAMPLED}
    assert (first["service"], first["event"], first["level"], first["logger"]) == ("ledger", "posted", "info", "a")
    assert first["posting"] == "companies/acme/postings/1"
    assert (second["event"], second["level"]) == ("retried 3 times", "warning")
    assert first["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "key",
    ["amount", "minor_units", "total_amount", "password", "api_key", "client_secret", "Authorization", "iban",
     "payload", "x.secret", "access_token", "net", "fee"],
)  # fmt: skip
def test_values_under_telling_keys_never_reach_a_log(stream: io.StringIO, key: str) -> None:
    logging.getLogger("b").info("x", extra={key: "4711-visible", "nested": {key: ["4711-visible"]}})
    assert len(lines(stream)) == 1
    assert "4711-visible" not in stream.getvalue()


@pytest.mark.parametrize("key", ["page_token", "attempts", "reason", "company", "network"])
def test_harmless_keys_are_left_alone(stream: io.StringIO, key: str) -> None:
    logging.getLogger("a").info("x", extra={key: "seen"})
    assert lines(stream)[0][key] == "seen"


SECRETS = {
    "bearer token": (f"sent Bearer {TOKEN} to it", TOKEN),
    "token alone": (f"got {TOKEN}", TOKEN),
    "password in a URL": ("postgresql+psycopg://ledger:hunter2@db/ledger", "hunter2"),
    "provider's key": ("using whsec_abcdefgh12345678", "whsec_abcdefgh12345678"),
    "assignment": (f"secret={SECRET}", SECRET),
    "IBAN": ("from DE89 3704 0044 0532 0130 00 today", "3704 0044"),
    "IBAN in one": ("from DE89370400440532013000 today", "37040044"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_secrets_inside_texts_are_blanked(stream: io.StringIO, text: str, secret: str) -> None:
    logging.getLogger("b").info(text)
    logging.getLogger("b").info("%s", [text])
    logging.getLogger("a").info("x", extra={"note": text, "notes": [text], "error": ValueError(text)})
    assert len(lines(stream)) == 3
    assert secret not in stream.getvalue()
    assert "[redacted]" in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [f"/trace/{SAMPLED}", "companies/acme/postings/ACME_STRIPE_MAIN_CH1", "port 50051, pid 12", "2026-01-05T10:00:00Z"],
)
def test_ids_and_names_survive(text: str) -> None:
    assert scrub(text) == text


def test_an_exception_is_logged_by_class_and_place_without_its_text(stream: io.StringIO) -> None:
    def broken() -> None:
        raise ValueError("could not bind 'Mrs. X', 12.50")

    try:
        broken()
    except ValueError:
        logging.getLogger("b").exception("it broke")
    (line,) = lines(stream)
    assert "builtins.ValueError" in line["exception"]
    assert "in broken" in line["exception"]
    assert "Mrs. X" not in stream.getvalue()


def test_configuring_twice_does_not_log_twice(stream: io.StringIO) -> None:
    second = io.StringIO()
    configure_logging("ledger", "INFO", second)
    logging.getLogger("b").info("once")
    assert (len(lines(stream)), len(lines(second))) == (0, 1)
