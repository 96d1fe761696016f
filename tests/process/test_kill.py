"""`kill -9` of each real process in turn while 500 webhooks arrive: the same books, nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from cli.connection import SERVICES, Connection
from cli.demo.company import provide_company
from cli.demo.day import ACCOUNT, SHOP, Post
from cli.demo.findings import Findings, gather, posted_balances
from cli.suite import Suite
from libs.odoo.connect import connect
from libs.odoo.errors import OdooError
from libs.odoo.port import Odoo
from providers.fake_server import FakeServer
from providers.stripe.fake_api import FakeStripe
from tests.process.shop_days import SHOPIFY_SECRET, STRIPE_SECRET, Sales
from tests.storage.fixtures import postgres_database

SALES = 125  # four webhooks each: 500
API_KEY = "rk_live_of_the_fake_alone"
# Longer than the longest lease (a poster's, three minutes): what a dead process held is taken up when it has run out.
QUIET_SECONDS = 300.0


@contextmanager
def running(folder: Path, stripe_url: str, environment: dict[str, str], replicas: int = 1) -> Iterator[Suite]:
    """The whole suite as real processes, watched by a thread that starts again what has died."""
    folder.mkdir(parents=True)
    sources = {
        "sources": [
            {"provider": "shopify", "account": SHOP, "company": "acme",
             "signing_secrets": [{"value": SHOPIFY_SECRET.decode()}], "deliveries_per_minute": 100_000},
            {"provider": "stripe", "account": ACCOUNT, "company": "acme",
             "signing_secrets": [{"value": STRIPE_SECRET.decode()}], "deliveries_per_minute": 100_000,
             "api": {"key": {"value": API_KEY}, "base_url": stripe_url}, "poll": {"interval_seconds": 2}},
        ]
    }  # fmt: skip
    file = folder / "sources.yaml"
    file.write_text(yaml.safe_dump(sources))
    suite = Suite(folder, environment, free_ports=True, sources=file, replicas=replicas)
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            suite.watch()

    watcher = threading.Thread(target=watch, daemon=True)
    suite.start()
    watcher.start()
    try:
        yield suite
    finally:
        stop.set()
        watcher.join()
        suite.stop()


def send(post: Post, bases: list[str], number: int) -> str:
    """Deliver as a partner does: again and again until a 2xx, at whichever gateway answers."""
    for attempt in range(900):
        base = bases[(number + attempt) % len(bases)]
        try:
            url = f"{base}/webhooks/{post.provider}/{post.account}"
            answer = httpx.post(url, content=post.body, headers=post.headers, timeout=60)
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        if answer.status_code == 202:
            return str(answer.json()["transaction_id"])
        assert answer.status_code in (429, 503), answer.text
        time.sleep(0.1)
    raise AssertionError(f"never accepted: {post.title}")


def kill_in_turn(suite: Suite, killed: list[str]) -> None:
    """`kill -9` one process after the other, twice round; the next one once the last one answers again."""
    for _ in range(2):
        for child in list(suite.children):
            if child.process is None:
                continue
            child.process.send_signal(signal.SIGKILL)
            child.process.wait()
            killed.append(child.name)
            ends_at = time.monotonic() + 60
            while time.monotonic() < ends_at and not (child.is_alive and child.ready()):
                time.sleep(0.1)
            time.sleep(0.3)


def await_books(odoo: Odoo, sales: Sales) -> None:
    """Wait until the trial balance is the one expected, or time is up."""
    ends_at = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < ends_at:
        try:
            if posted_balances(odoo) == sales.balance():
                return
        except OdooError:
            pass  # just killed
        time.sleep(1)


def await_counts(connection: Connection, odoo: Odoo, sales: Sales) -> Findings:
    """Wait until both sides count the same events, or time is up.

    The books may be right long before: a gateway that is killed after the ledger stored its events and before it
    noted so hands them on again, and counts them, once the dead process's lease has run out.
    """
    ends_at = time.monotonic() + QUIET_SECONDS
    while True:
        findings = gather(connection, odoo, sales.balance())
        if findings.is_complete or time.monotonic() > ends_at:
            return findings
        time.sleep(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The suite's environment: nothing of ours, and a fresh database where it is to run on PostgreSQL."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    if request.param == "sqlite":
        yield clean
        return
    with postgres_database() as url:
        yield {**clean, "CONCORD_DATABASE_URL": url}


@pytest.mark.slow
def test_killing_every_process_in_turn_changes_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    replicas = 2 if "CONCORD_DATABASE_URL" in environment else 1
    sales = Sales(SALES)
    posts = sales.posts()
    stripe = FakeServer(FakeStripe({API_KEY: sales.stripe}).answer)
    killed: list[str] = []
    try:
        with running(tmp_path / "suite", stripe.url, environment, replicas) as suite:
            connection = Connection({"CONCORD_DATA_DIR": str(suite.folder)})
            provide_company(connection)
            killer = threading.Thread(target=kill_in_turn, args=(suite, killed))
            killer.start()
            first: dict[bytes, str] = {}
            for number, post in enumerate(posts):
                transaction = send(post, suite.http_addresses(), number)
                assert first.setdefault(post.body, transaction) == transaction, "a repeat got another transaction"
                if killer.is_alive():
                    time.sleep(0.05)  # so that the killing happens among the webhooks, not after them
            killer.join()
            odoo = connect(suite.environment()["CONCORD_ODOO_URL"], "sandbox", "concord", "concord")
            await_books(odoo, sales)
            await_counts(connection, odoo, sales)
            time.sleep(3)  # whatever would still double something
            findings = gather(connection, odoo, sales.balance())
            moves = odoo.execute("account.move", "search_count", [[]])
    finally:
        stripe.close()
    assert len(posts) == 500
    assert {*SERVICES, "sandbox"} <= set(killed), f"only {sorted(set(killed))} were killed"
    assert dict(findings.balance) == sales.balance()
    assert moves == sales.documents, "a document is there twice, or a draft was left"
    assert not findings.exceptions, [one.reason for one in findings.exceptions]
    assert findings.handed_on == findings.accounted, "an event was lost, or counted twice"
