"""A request is answered once, whoever asks again and however its fingerprint was made."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, update

from libs.money import Money
from libs.storage.requests import Request, RequestIdReused, Requests
from services.masterdata.storage.tables import REQUEST
from tests.storage.fixtures import EngineFor

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAY = Request("r-1", "pay", "acme", "10.00")


@pytest.fixture
def engine(engine_for: EngineFor) -> Engine:
    return engine_for("services.masterdata")


def answered(engine: Engine, request: Request, answer: Money) -> None:
    with engine.begin() as connection:
        requests = Requests(connection, REQUEST)
        assert requests.begin(request, Money, NOW) is None
        requests.answer(request, answer)


def test_a_repeat_gets_the_first_answer_and_another_content_is_refused(engine: Engine) -> None:
    answered(engine, PAY, Money("EUR", 1000))
    with engine.begin() as connection:
        requests = Requests(connection, REQUEST)
        assert requests.find(PAY, Money) == requests.begin(PAY, Money, NOW) == Money("EUR", 1000)
        with pytest.raises(RequestIdReused):
            requests.begin(Request("r-1", "pay", "acme", "20.00"), Money, NOW)
        assert requests.find(Request("r-2", "pay", "acme", "10.00"), Money) is None


def test_a_request_whose_transaction_failed_is_new(engine: Engine) -> None:
    with engine.connect() as connection:
        assert Requests(connection, REQUEST).begin(PAY, Money, NOW) is None
    answered(engine, PAY, Money("EUR", 1000))


def test_what_was_answered_before_fingerprints_were_made_of_json_is_known(engine: Engine) -> None:
    answered(engine, PAY, Money("EUR", 1000))
    by_line = hashlib.sha256(b"pay\nacme\n10.00").hexdigest()
    with engine.begin() as connection:
        connection.execute(update(REQUEST).values(fingerprint=by_line))
        assert Requests(connection, REQUEST).begin(PAY, Money, NOW) == Money("EUR", 1000)
