"""Imports point one way, and each third-party package has its place."""

from __future__ import annotations

import re

import pytest

from tests.architecture import layers
from tests.architecture.source import PRODUCT, ROOT, Module, modules

SHAPE = ("main.py", "config.py", "servicer.py", "wire.py")
SERVICES = ("gateway", "ledger", "masterdata", "recon")


@pytest.mark.parametrize("module", modules(*PRODUCT), ids=str)
def test_a_module_imports_only_what_its_layer_may(module: Module) -> None:
    assert not layers.foreign_imports(module)


@pytest.mark.parametrize("module", modules(*PRODUCT), ids=str)
def test_no_service_imports_another(module: Module) -> None:
    assert not layers.other_services(module)


@pytest.mark.parametrize("module", modules(*PRODUCT), ids=str)
def test_a_third_party_package_is_known_to_its_owner_alone(module: Module) -> None:
    assert not layers.stolen_packages(module)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_four_files_above_its_folders(service: str) -> None:
    assert not [name for name in SHAPE if not (ROOT / "services" / service / name).is_file()]


@pytest.mark.parametrize(
    "path, text, refused",
    [
        ("services/ledger/domain/entry.py", "from libs.money import Money\nimport dataclasses", []),
        ("services/ledger/domain/entry.py", "from .errors import Unbalanced", []),
        ("services/ledger/domain/entry.py", "import sqlmodel", ["sqlmodel"]),
        ("services/ledger/domain/entry.py", "from libs.rpc import wire", ["libs.rpc.wire"]),
        ("services/ledger/domain/entry.py", "from ..storage.entries import Entries", ["services.ledger.storage.entries.Entries"]),
        ("services/ledger/domain/entry.py", "def late():\n    import grpc", ["grpc"]),
        ("services/ledger/handlers/record_events.py", "from services.ledger.domain import entry", []),
        ("services/ledger/handlers/record_events.py", "from services.ledger.storage import rows", ["services.ledger.storage.rows"]),
        ("services/ledger/handlers/record_events.py", "import opentelemetry.trace", ["opentelemetry.trace"]),
        ("services/ledger/handlers/record_events.py", "from concord.ledger.v1 import ledger_pb2", ["concord.ledger.v1.ledger_pb2"]),
        ("services/ledger/storage/entries.py", "from ..domain.entry import Entry\nimport sqlalchemy", []),
        ("services/ledger/storage/entries.py", "from ..handlers.ports import JournalPort", ["services.ledger.handlers.ports.JournalPort"]),
        ("services/ledger/storage/entries.py", "from ..handlers.record_events import f", ["services.ledger.handlers.record_events.f"]),
        ("services/ledger/storage/migrations/versions/a.py", "from services.ledger.storage.rows import X", []),
        ("services/ledger/adapters/journal.py", "from libs.rpc import wire\nimport grpc", []),
        ("services/ledger/adapters/journal.py", "from ..storage import rows", ["services.ledger.storage.rows"]),
        ("services/ledger/workers/post.py", "from libs.storage import uow", ["libs.storage.uow"]),
        ("services/gateway/workers/poll.py", "from providers.base import Polls", []),
        ("services/gateway/workers/poll.py", "from providers.stripe import Stripe", ["providers.stripe.Stripe"]),
        ("services/gateway/accounts.py", "from providers import PROVIDERS", []),
        ("providers/stripe/pages.py", "from libs.formats.strict_json import parse_json\nfrom . import words", []),
        ("providers/stripe/pages.py", "from ..shopify import amounts", ["providers.shopify.amounts"]),
        ("providers/stripe/pages.py", "import httpx", ["httpx"]),
        ("providers/stripe/pages.py", "from services.gateway.domain import delivery", ["services.gateway.domain.delivery"]),
        ("services/ledger/servicer.py", "from . import wire\nfrom .handlers import f\nimport grpc", []),
        ("services/ledger/servicer.py", "from .storage import rows", ["services.ledger.storage.rows"]),
        ("services/ledger/main.py", "from .storage import rows\nfrom libs.odoo import port", []),
        ("services/ledger/main.py", "import requests", ["requests"]),
        ("services/ledger/main.py", "from sandbox import Sandbox", ["sandbox.Sandbox"]),
        ("services/ledger/__init__.py", "from .main import build", ["services.ledger.main.build"]),
        ("services/ledger/tools/x.py", "", ["layer tools is in no table of tests/architecture/layers.py"]),
        ("libs/events/names.py", "from libs.money import Money", []),
        ("libs/events/names.py", "import pydantic", ["pydantic"]),
        ("libs/odoo/port.py", "from services.ledger.domain import entry", ["services.ledger.domain.entry"]),
        ("libs/odoo/port.py", "from libs.storage import engine", ["libs.storage.engine"]),
        ("libs/tools/x.py", "", ["libs/tools is in no table of tests/architecture/layers.py"]),
        ("libs/odoo/port.py", "from sandbox import chart", ["sandbox.chart"]),
        ("sandbox/moves.py", "from libs.odoo.port import Odoo\nfrom .env import Env", []),
        ("sandbox/moves.py", "from libs.rpc import wire", ["libs.rpc.wire"]),
        ("cli/demo.py", "from services.ledger import main\nimport rich", []),
        ("cli/demo.py", "from tests.flow import day", ["tests.flow.day"]),
    ],
)  # fmt: skip
def test_the_layer_rule_refuses_what_it_should(path: str, text: str, refused: list[str]) -> None:
    assert layers.foreign_imports(Module.parse(path, text)) == refused


@pytest.mark.parametrize(
    "path, text, refused",
    [
        ("services/recon/main.py", "from services.recon.domain import match", []),
        ("services/recon/main.py", "from services.ledger.domain import entry", ["services.ledger.domain.entry"]),
        ("services/recon/main.py", "import services.ledger", ["services.ledger"]),
        ("services/recon/domain/match.py", "from ...ledger.domain import entry", ["services.ledger.domain.entry"]),
        ("libs/rpc/server.py", "from services.ledger import main", ["services.ledger.main"]),
        ("cli/up.py", "from services.ledger import main\nfrom services.recon import main as recon", []),
    ],
)
def test_the_service_rule_refuses_what_it_should(path: str, text: str, refused: list[str]) -> None:
    assert layers.other_services(Module.parse(path, text)) == refused


@pytest.mark.parametrize(
    "path, text, refused",
    [
        ("services/recon/engine/passes.py", "import duckdb", []),
        ("services/recon/main.py", "import duckdb", ["duckdb"]),
        ("services/ledger/engine/passes.py", "import duckdb", ["duckdb"]),
        ("services/ledger/storage/rows.py", "from sqlmodel import Field", []),
        ("services/ledger/storage/postings.py", "from sqlmodel import Field", ["sqlmodel.Field"]),
        ("services/ledger/main.py", "from sqlmodel import Field", ["sqlmodel.Field"]),
        ("libs/odoo/jsonrpc.py", "import odoorpc", []),
        ("cli/masterdata.py", "import odoorpc", ["odoorpc"]),
    ],
)
def test_the_owner_rule_refuses_what_it_should(path: str, text: str, refused: list[str]) -> None:
    assert layers.stolen_packages(Module.parse(path, text)) == refused


def test_the_walk_over_the_files_sees_them() -> None:
    assert {"libs.money", "libs.money.money", "cli.main"} <= {module.name for module in modules(*PRODUCT)}
    assert not [module for module in modules(*PRODUCT) if "_pb2" in module.name]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_s_migrations_form_one_line(service: str) -> None:
    """Two that follow on the same one, as two branches of work may leave them, let no service start."""
    files = sorted((ROOT / "services" / service / "storage" / "migrations" / "versions").glob("*.py"))
    before = [re.findall(r'^down_revision = "?(\w+)"?$', file.read_text(), re.MULTILINE)[0] for file in files]
    assert [*before, files[-1].name[:4]] == ["None", *(file.name[:4] for file in files)]
