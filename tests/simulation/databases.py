"""Fresh databases for each world: in-memory copies of migrated templates, or emptied schemas of one PostgreSQL."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from libs.events import TransactionIds
from libs.storage.engine import copy_template, open_engine
from libs.storage.migrate import upgrade
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.transport import InProcess
from services.masterdata.assembly import Masterdata
from services.masterdata.servicer import MasterdataServicer
from services.masterdata.storage import MasterdataUowFactory
from tests.simulation.day import COMPANY
from tests.storage.fixtures import drop, empty

MAPPING = Path(__file__).parents[2] / "cli" / "demo" / "mapping.yaml"
SETUP = datetime(2026, 11, 18, 12, tzinfo=UTC)


class Databases(Protocol):
    def open(self, service: str) -> Engine:
        """The service's migrated database, with nothing in it."""
        ...

    def close(self, engine: Engine) -> None:
        """It is not needed any more."""
        ...


class InMemory:
    """A copy of a template costs a millisecond."""

    def open(self, service: str) -> Engine:
        return copy_template(_template(service))

    def close(self, engine: Engine) -> None:
        engine.dispose()


class Postgres:
    """A schema for each service, emptied for each world: one world at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._mark = uuid.uuid4().hex[:12]
        self._engines: dict[str, Engine] = {}

    def open(self, service: str) -> Engine:
        engine = self._engines.get(service)
        if engine is None:
            engine = self._engines[service] = open_engine(self._url, f"sim_{service}_{self._mark}")
            upgrade(engine, f"services.{service}")
        empty(engine)
        return engine

    def close(self, engine: Engine) -> None:
        """It is used again."""

    def drop(self) -> None:
        """Remove the schemas."""
        for engine in self._engines.values():
            drop(engine)


@cache
def _template(service: str) -> Engine:
    engine = open_engine("sqlite://", service)
    upgrade(engine, f"services.{service}")
    return engine


@dataclass(frozen=True, slots=True)
class Company:
    """The company's books before the day, and masterdata that knows them. Copy the sandbox before using it."""

    sandbox: Sandbox
    masterdata: MasterdataServicer


@cache
def company(version: int) -> Company:
    """Synced from the sandbox, with the demo's mapping proposed by one and approved by another."""
    sandbox = Sandbox(":memory:", lambda: SETUP, version)
    bootstrap(sandbox)
    new_uow = MasterdataUowFactory(InMemory().open("masterdata"))
    ids = TransactionIds(lambda: SETUP, random.Random(0))
    made = Masterdata(new_uow, InProcess(sandbox, "masterdata"), lambda: SETUP, ids)
    made.sync(COMPANY, "olga", "00000000-0000-4000-8000-000000000001")
    offered = made.review.propose(COMPANY, MAPPING.read_text(), "ann", "00000000-0000-4000-8000-000000000002")
    made.review.approve(COMPANY, offered.number, offered.content_digest, "bob", "00000000-0000-4000-8000-000000000003")
    return Company(sandbox, MasterdataServicer(made.sync, made.review, made.resolver, new_uow))
