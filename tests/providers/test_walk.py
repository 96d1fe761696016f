"""Every registered provider through the gateway: a signed webhook, what its API lists, a report file."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import pytest

from libs.events import TransactionIds
from libs.service.work import WorkContext
from libs.storage.engine import copy_template
from libs.storage.group_commit import InlineWriter
from libs.telemetry.trace import Tracer
from providers import PROVIDERS
from providers.base import Polls, Secrets
from services.gateway.accounts import ConfiguredAccounts
from services.gateway.adapters.provider_api import ApiAccess, HttpApi
from services.gateway.assembly import Gateway, Surroundings, assemble, receiver
from services.gateway.config import SourceConfig
from services.gateway.domain.source import PollPlan
from services.gateway.storage import GatewayUowFactory
from tests.gateway.world import FakeLedger, FakeRecon, template
from tests.providers.golden import GOLDEN, NOW, about, expected, payloads, reports, signed, source_of


class OneSource:
    """A gateway that knows one provider's account, whose API answers with a golden page."""

    def __init__(self, name: str, page: bytes = b"") -> None:
        self.ledger, self.recon = FakeLedger(), FakeRecon()
        self.asked: list[httpx.Request] = []
        api, source = PROVIDERS[name].api, source_of(GOLDEN / name)
        access = {source.interface: ApiAccess(api, "key", api.base_url)} if api else {}
        plan = PollPlan() if page else None
        secret = about(GOLDEN / name)["signed"]["secret"].encode()
        engine = copy_template(template())

        def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return httpx.Response(200, content=page)

        ids = TransactionIds(lambda: NOW, random.Random(1))
        world = Surroundings(
            new_uow=GatewayUowFactory(engine),
            accounts=ConfiguredAccounts([SourceConfig(source, Secrets((secret,)), access.get(source.interface), plan)]),
            ledger=self.ledger,
            recon=self.recon,
            api=HttpApi(access, transport=httpx.MockTransport(answer)),
            work=WorkContext(lambda: NOW, ids, random.Random(1), Tracer(), "gateway"),
        )
        self.gateway: Gateway = assemble(world, InlineWriter(receiver(world)))

    def run(self, *names: str) -> None:
        for name in names:
            self.gateway.workers()[name]()


def names_in(path: Path) -> set[str]:
    return {event["name"] for event in expected(path).get("events", [])}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_signed_webhook_comes_to_the_ledger(name: str) -> None:
    (message, body), world = signed(GOLDEN / name), OneSource(name)
    world.gateway.receive(name, about(GOLDEN / name)["account"], message["headers"], body)
    world.run("translate", "forward")
    assert set(world.ledger.events), f"{message['payload']} is signed and gives no event"
    assert set(world.ledger.events) == names_in(GOLDEN / name / message["payload"])


def pages() -> list[Path]:
    found = []
    for name, registration in PROVIDERS.items():
        provider = registration.new(Secrets(()))
        if isinstance(provider, Polls):
            found += [path for path in payloads(GOLDEN / name) if path.name.startswith(f"{provider.page_type}.")]
    return found


@pytest.mark.parametrize("path", pages(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_the_api_lists_comes_to_the_ledger(path: Path) -> None:
    world = OneSource(path.parent.name, path.read_bytes())
    world.run("poll", "translate", "forward")
    assert set(world.ledger.events) == names_in(path)
    (request,) = world.asked
    assert any("key" in value for value in request.headers.values())
    assert str(request.url).startswith(PROVIDERS[path.parent.name].api.base_url)  # type: ignore[union-attr]


@pytest.mark.parametrize("path", reports(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_report_file_is_known_by_its_content_and_goes_to_recon(path: Path) -> None:
    world = OneSource(path.parent.name)
    upload = world.gateway.upload(1_000_000)
    upload.feed(path.read_bytes())
    assert upload.known.provider == path.parent.name
    world.gateway.store.call(upload.finish(source_of(path.parent), path.name))
    world.run("forward-file")
    assert [(kind, body) for kind, _, body in world.recon.files] == [("settlement", path.read_bytes())]
