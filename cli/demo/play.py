"""Plays the day against a running suite: partners send, Odoo fails in the middle, the bank reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from concord.gateway.v1 import delivery_pb2, gateway_pb2, gateway_pb2_grpc
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc, posting_pb2
from concord.recon.v1 import match_pb2, recon_pb2, recon_pb2_grpc

from cli.connection import Connection
from libs.access import AccessScope
from libs.errors import ConcordError, Kind
from libs.rpc.identity import issue_token

from .company import COMPANY
from .day import BANK_ACCOUNT, Day

OUTAGE_SECONDS = 3.0
QUIET_SECONDS = 6.0  # nothing moves for so long, longer than doubts take to show: the day is done
LIMIT_SECONDS = 75.0
ANSWERS = {202: "accepted", 401: "refused"}
_P = posting_pb2.Posting
MOVING = {
    _P.STATE_RECORDED, _P.STATE_VALIDATED, _P.STATE_APPROVED, _P.STATE_READY, _P.STATE_POSTING, _P.STATE_UNKNOWN,
    _P.STATE_HELD,
}  # fmt: skip
_D = delivery_pb2.Delivery
UNFINISHED = {_D.STATE_RECEIVED, _D.STATE_TRANSLATED}

Say = Callable[[str], None]


class DayUnfinished(ConcordError):
    """Something still moves after the time that a demo may take."""

    kind = Kind.RETRY
    reason = "DEMO_UNFINISHED"


@dataclass
class Sent:
    """What the partners were answered."""

    surprises: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)  # title → transaction id
    forged: int = 0
    duplicates: int = 0


def play(day: Day, connection: Connection, sandbox_url: str | None, say: Say) -> Sent:
    """Send everything; from the middle on Odoo loses replies and is then away for some seconds."""
    sent = Sent()
    by_body: dict[bytes, str] = {}
    with httpx.Client(base_url=f"http://{connection.address('http')}", timeout=10) as partner:
        for number, post in enumerate(day.posts):
            if number == len(day.posts) // 2 and sandbox_url:
                say("Odoo loses its next replies, then goes away for some seconds")
                httpx.post(f"{sandbox_url}/sandbox/faults", json={"lose_replies": 3, "unavailable": False})
            answer = partner.post(f"/webhooks/{post.provider}/{post.account}", content=post.body, headers=post.headers)
            say(f"{post.provider:8} {post.title}: {answer.status_code} {ANSWERS.get(answer.status_code, '')}")
            if answer.status_code != post.expect:
                sent.surprises.append(f"{post.title}: {answer.status_code} instead of {post.expect}")
            if answer.status_code != 202:
                sent.forged += 1
                continue
            transaction = answer.json()["transaction_id"]
            if post.body in by_body:
                sent.duplicates += 1
                if by_body[post.body] != transaction:
                    sent.surprises.append(f"{post.title}: another transaction id than the first time")
            by_body.setdefault(post.body, transaction)
            sent.ids.setdefault(post.title, transaction)
        if sandbox_url:
            _outage(sandbox_url, say)
        _upload(day, partner, connection, say, sent)
    return sent


def _outage(sandbox_url: str, say: Say) -> None:
    httpx.post(f"{sandbox_url}/sandbox/faults", json={"lose_replies": 0, "unavailable": True})
    say("Odoo is away; partners are still answered")
    time.sleep(OUTAGE_SECONDS)
    httpx.post(f"{sandbox_url}/sandbox/faults", json={"lose_replies": 2, "unavailable": False})
    say("Odoo is back, and loses two more replies")


def be_well(sandbox_url: str) -> None:
    """No more faults."""
    httpx.post(f"{sandbox_url}/sandbox/faults", json={"lose_replies": 0, "unavailable": False})


def _upload(day: Day, partner: httpx.Client, connection: Connection, say: Say, sent: Sent) -> None:
    scope = AccessScope.of([COMPANY.removeprefix("companies/")], [f"bank/{BANK_ACCOUNT}"])
    token = issue_token(connection.keys(), "demo/operator", ["operator"], scope)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/xml"}
    answer = partner.post(f"/files/{BANK_ACCOUNT}", content=day.statement(), headers=headers)
    say(f"bank     statement of {len(day.credits)} lines: {answer.status_code} {ANSWERS.get(answer.status_code, '')}")
    if answer.status_code != 202:
        sent.surprises.append(f"statement: {answer.status_code}")


def await_quiet(connection: Connection, say: Say) -> float:
    """Wait until nothing moves any more; the seconds it took. Raises `DayUnfinished`."""
    began = time.monotonic()
    quiet_since = time.monotonic()
    before = ""
    while time.monotonic() - began < LIMIT_SECONDS:
        moving, picture = _look(connection)
        if moving or picture != before:
            quiet_since = time.monotonic()
        if picture != before:
            say(picture)
        before = picture
        if time.monotonic() - quiet_since >= QUIET_SECONDS:
            return time.monotonic() - began
        time.sleep(0.3)
    raise DayUnfinished(f"still moving after {LIMIT_SECONDS:.0f} s: {before}")


def _look(connection: Connection) -> tuple[bool, str]:
    """Whether something moves, and the whole in one line."""
    with connection.channel("ledger", ("viewer",)) as channel:
        ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        postings = ledger.ListPostings(ledger_pb2.ListPostingsRequest(parent=COMPANY, page_size=1000)).postings
    with connection.channel("recon", ("viewer",)) as channel:
        recon = recon_pb2_grpc.ReconServiceStub(channel)
        matches = recon.ListMatches(recon_pb2.ListMatchesRequest(parent=COMPANY, page_size=1000)).matches
        found = recon.ListDifferences(recon_pb2.ListDifferencesRequest(parent=COMPANY, page_size=1000)).differences
    with connection.channel("gateway", ("operator",)) as channel:
        gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
        request = gateway_pb2.ListDeliveriesRequest(parent="sources/-/accounts/-", page_size=1000)
        deliveries = gateway.ListDeliveries(request).deliveries
    posted = sum(posting.state == _P.STATE_POSTED for posting in postings)
    written = sum(found.state == match_pb2.Match.STATE_WRITTEN for found in matches)
    open_differences = sum(difference.state != match_pb2.Difference.STATE_RESOLVED for difference in found)
    moving = (
        any(posting.state in MOVING for posting in postings)
        or any(delivery.state in UNFINISHED for delivery in deliveries)
        or any(found.state == match_pb2.Match.STATE_CONFIRMED for found in matches)
    )
    picture = (
        f"{len(deliveries)} deliveries · {posted} of {len(postings)} documents posted · "
        f"{written} of {len(matches)} matches written · {open_differences} differences"
    )
    return moving, picture
