"""A company in the sandbox and masterdata beside it, with everything that a test turns at hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from libs.events import TransactionIds
from sandbox.engine import Sandbox
from sandbox.env import ROBOT
from sandbox.seed import bootstrap
from sandbox.transport import InProcess
from services.masterdata.adapters.mapping_yaml import read_mapping
from services.masterdata.adapters.odoo_masters import OdooMasters
from services.masterdata.domain.mapping_set import MappingSet
from services.masterdata.domain.references import Answer, Answers, Question
from services.masterdata.domain.sync import SyncRun
from services.masterdata.handlers.mapping_sets import MappingReview
from services.masterdata.handlers.ports import MasterSource
from services.masterdata.handlers.resolve_references import Resolver
from services.masterdata.handlers.sync_masterdata import MasterdataSync
from services.masterdata.storage import MasterdataUowFactory
from tests.lossy_transport import LossyTransport
from tests.storage.fixtures import EngineFor

DEMO = Path(__file__).parents[2] / "cli" / "demo" / "mapping.yaml"
BEGIN = datetime(2026, 3, 14, 12, tzinfo=UTC)


class Clock:
    """Goes on by a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@cache
def seeded(version: int) -> Sandbox:
    """The demonstration company's books; copy them before changing them."""
    sandbox = Sandbox(":memory:", lambda: BEGIN, version)
    bootstrap(sandbox)
    return sandbox


def demo_mapping() -> str:
    return DEMO.read_text()


@dataclass
class World:
    """Masterdata on one database, reading one sandbox."""

    engine: Engine
    sandbox: Sandbox
    clock: Clock
    odoo: LossyTransport

    def __post_init__(self) -> None:
        self.ids = TransactionIds(self.clock, random.Random(7))
        self.new_uow = MasterdataUowFactory(self.engine)
        self.source = OdooMasters(self.odoo, page=3)
        self.resolver = Resolver(self.new_uow, read_mapping)
        self.review = MappingReview(self.new_uow, read_mapping, self.clock, self.ids)
        self._requests = 0

    def request_id(self) -> str:
        self._requests += 1
        return f"00000000-0000-4000-8000-{self._requests:012d}"

    def odoo_ids(self, model: str, domain: list[Any]) -> list[int]:
        found: list[int] = self.sandbox.execute(ROBOT, model, "search", [domain])
        return found

    def change(self, model: str, domain: list[Any], values: dict[str, Any]) -> None:
        """As somebody in Odoo would."""
        ids = self.odoo_ids(model, domain)
        assert ids, f"{model} has no such record"
        self.sandbox.execute(ROBOT, model, "write", [ids, values])

    def create(self, model: str, values: dict[str, Any]) -> int:
        return int(self.sandbox.execute(ROBOT, model, "create", [values]))

    def sync(self, request_id: str = "", company: str = "acme") -> SyncRun:
        return self.sync_from(self.source)(company, "olga", request_id or self.request_id())

    def sync_from(self, source: MasterSource, companies: Mapping[str, int] | None = None) -> MasterdataSync:
        return MasterdataSync(self.new_uow, source, companies or {}, self.clock, self.ids)

    def propose(self, yaml: str = "", actor: str = "ann", request_id: str = "") -> MappingSet:
        return self.review.propose("acme", yaml or demo_mapping(), actor, request_id or self.request_id())

    def approve(self, offered: MappingSet, actor: str = "bob", digest: str = "", request_id: str = "") -> MappingSet:
        signed, request = digest or offered.content_digest, request_id or self.request_id()
        return self.review.approve(offered.company, offered.number, signed, actor, request)

    def activate(self, yaml: str = "") -> MappingSet:
        return self.approve(self.propose(yaml))

    def ask(self, *questions: Question) -> Answers:
        return self.resolver.resolve("acme", questions)

    def answer(self, question: Question) -> Answer:
        return self.ask(question).answers[0]


def new_world(engine_for: EngineFor, version: int = 18, *, synced: bool = True) -> World:
    sandbox = seeded(version).copy()
    odoo = LossyTransport(InProcess(sandbox, "masterdata"), random.Random(1))
    made = World(engine_for("services.masterdata"), sandbox, Clock(), odoo)
    if synced:
        assert made.sync().reason == ""
    return made
