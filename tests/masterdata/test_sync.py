from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import select

from libs.storage.audit import AuditLog
from libs.storage.requests import RequestIdReused
from libs.telemetry import names
from libs.telemetry.odoo import TracedOdoo
from sandbox import chart
from sandbox.transport import InProcess
from services.masterdata.adapters.odoo_masters import OdooMasters
from services.masterdata.domain.errors import CompanyAmbiguous, CompanyTaken, CompanyUnknown
from services.masterdata.domain.records import Account, ExchangeRate, Journal, Party, Reading, TaxCode
from services.masterdata.domain.sync import SyncState
from services.masterdata.handlers.sync_masterdata import odoo_company_of
from services.masterdata.storage import TABLES
from services.masterdata.storage.rows import metadata
from services.masterdata.workers.sync import SyncWorker
from tests.lossy_transport import LossyTransport
from tests.masterdata.company import World, new_world
from tests.storage.fixtures import EngineFor
from tests.telemetry.spans import Recorder


def stored(world: World, table: str) -> list[dict[str, Any]]:
    rows = metadata.tables[table]
    with world.new_uow(read_only=True) as uow:
        return [dict(row._mapping) for row in uow.connection.execute(select(rows).order_by(*rows.primary_key))]


def test_calls_to_odoo_are_timed_by_the_company_that_is_read(engine_for: EngineFor) -> None:
    world, recorder = new_world(engine_for, 18), Recorder()
    world.source = OdooMasters(TracedOdoo(world.odoo, recorder.tracer, recorder.telemetry.metrics), page=3)
    world.sync()
    calls = recorder.points(names.METRIC_ODOO_LATENCY)
    assert len(calls) > 5
    assert {dict(key).get(names.COMPANY) for key in calls} == {"acme"}
    recorder.close()


@pytest.mark.parametrize("version", [18, 19])
def test_a_first_sync_brings_the_whole_chart(engine_for: EngineFor, version: int) -> None:
    world = new_world(engine_for, version)
    accounts = {row["code"]: row for row in stored(world, "account")}
    assert {spec.code for spec in chart.PLAN.accounts} <= set(accounts)
    for spec in chart.PLAN.accounts:
        row = accounts[spec.code]
        told = (row["name"], row["type"], row["reconcilable"], row["currency"], row["active"])
        assert told == (spec.name, spec.type, spec.reconcile, spec.currency or "", True)
    bank = next(row for row in stored(world, "journal") if row["code"] == "BNK1")
    assert bank["default_account"] == accounts["101401"]["odoo_id"]
    assert bank["suspense_account"] == accounts["101402"]["odoo_id"]
    taxes = {row["name"]: row for row in stored(world, "tax_code")}
    sales = taxes["Sales Tax 8%"]
    assert (sales["rate"], sales["use"], sales["repartition_complete"]) == ("0.08", "sale", True)
    assert sales["repartition_accounts"] == str(accounts["251000"]["odoo_id"])
    assert [row["code"] for row in stored(world, "currency")] == ["EUR", "USD"]
    assert [(row["currency"], row["day"], row["rate"]) for row in stored(world, "exchange_rate")] == [
        ("EUR", "2026-01-01", "0.9090909090909091")
    ]
    assert {partner.name for partner in chart.PLAN.partners} <= {row["name"] for row in stored(world, "party")}
    (company,) = stored(world, "legal_entity")
    assert (company["currency"], company["revision"], company["rounds_by_line"]) == ("USD", 1, True)
    assert company["gain_account"] == company["loss_account"] == accounts["646000"]["odoo_id"]


def test_a_run_tells_what_it_read(world: World) -> None:
    run = world.sync()
    assert run.state is SyncState.DONE
    counts = dict(run.records)
    assert counts["companies"] == 1
    assert counts["accounts"] == len(stored(world, "account"))
    assert counts["parties"] == len(stored(world, "party"))
    assert (run.changed, run.revision) == (0, 1)
    assert run.ended_at > run.started_at


CHANGES = [
    ("account.account", [["code", "=", "621000"]], {"name": "Card fees"}, "account", "name", "Card fees"),
    ("account.account", [["code", "=", "124200"]], {"reconcile": False}, "account", "reconcilable", False),
    ("account.journal", [["code", "=", "BNK1"]], {"suspense_account_id": False}, "journal", "suspense_account", 0),
    ("account.tax", [["name", "=", "Sales Tax 8%"]], {"amount": 8.25}, "tax_code", "rate", "0.0825"),
    ("res.partner", [["name", "=", "Ada Archer"]], {"name": "Ada Brown"}, "party", "name", "Ada Brown"),
    ("res.currency.rate", [], {"rate": 0.8}, "exchange_rate", "rate", "0.8"),
    ("res.company", [], {"tax_calculation_rounding_method": "round_globally"}, "legal_entity", "rounds_by_line", False),
]  # fmt: skip


@pytest.mark.parametrize("model, domain, values, table, column, value", CHANGES)
def test_one_change_in_odoo_is_one_change_here(
    world: World, model: str, domain: list[Any], values: dict[str, Any], table: str, column: str, value: object
) -> None:
    before = stored(world, table)
    world.change(model, domain, values)
    run = world.sync()
    after = stored(world, table)
    differing = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [row[column] for row in differing] == [value]
    assert (run.changed, run.revision) == (1, 2)
    assert world.sync().revision == 2


def test_a_new_rate_is_one_more_record_and_a_removed_one_is_gone(world: World) -> None:
    euro = world.odoo_ids("res.currency", [["name", "=", "EUR"]])[0]
    rate = world.create("res.currency.rate", {"currency_id": euro, "name": "2026-03-01", "inverse_company_rate": 1.2})
    assert world.sync().changed == 1
    assert [row["day"] for row in stored(world, "exchange_rate")] == ["2026-01-01", "2026-03-01"]
    world.sandbox.execute("admin", "res.currency.rate", "unlink", [[rate]])
    assert world.sync().changed == 1
    assert [row["day"] for row in stored(world, "exchange_rate")] == ["2026-01-01"]


@pytest.mark.parametrize("version, values", [(18, {"deprecated": True}), (19, {"active": False})])
def test_an_account_out_of_use_is_inactive_in_both_versions(
    engine_for: EngineFor, version: int, values: dict[str, bool]
) -> None:
    world = new_world(engine_for, version)
    world.change("account.account", [["code", "=", "647000"]], values)
    assert world.sync().changed == 1
    (row,) = [one for one in stored(world, "account") if one["code"] == "647000"]
    assert not row["active"]
    world.sandbox.execute("admin", "account.account", "write", [[row["odoo_id"]], {next(iter(values)): version == 19}])
    world.sync()
    assert [one["active"] for one in stored(world, "account") if one["code"] == "647000"] == [True]


def test_a_tax_without_account_in_one_direction_is_incomplete(world: World) -> None:
    domain = [["tax_id.name", "=", "Sales Tax 8%"], ["document_type", "=", "refund"], ["repartition_type", "=", "tax"]]
    world.change("account.tax.repartition.line", domain, {"account_id": False})
    world.sync()
    assert {row["name"]: row["repartition_complete"] for row in stored(world, "tax_code")} == {
        "Sales Tax 8%": False,
        "Input Tax 8%": True,
    }


def test_odoo_down_is_a_failed_run_that_changes_nothing(world: World) -> None:
    before = stored(world, "account")
    world.odoo.down = True
    run = world.sync()
    assert (run.state, run.reason, run.revision) == (SyncState.FAILED, "ODOO_UNAVAILABLE", 1)
    assert stored(world, "account") == before
    world.odoo.down = False
    assert world.sync().state is SyncState.DONE


def test_a_user_without_rights_is_a_failed_run(engine_for: EngineFor) -> None:
    world = new_world(engine_for, synced=False)
    world.sandbox.execute("admin", "res.users", "create", [{"name": "guest", "login": "guest"}])
    world.source = OdooMasters(InProcess(world.sandbox, "guest"))
    assert world.sync().reason == "ODOO_DENIED"
    assert stored(world, "legal_entity") == []


def test_replies_that_are_lost_midway_leave_the_last_state_whole(engine_for: EngineFor) -> None:
    world = new_world(engine_for)
    sound, lossy = world.source, LossyTransport(world.odoo, random.Random(3), lose_reply=0.02)
    world.source = OdooMasters(lossy, page=3)
    world.change("account.account", [["code", "=", "621000"]], {"name": "Card fees"})
    runs = [world.sync() for _ in range(20)]
    assert {run.reason for run in runs} == {"ODOO_OUTCOME_UNKNOWN", ""}
    assert [run.changed for run in runs if run.changed] == [1], "the whole reading, once"
    world.source = sound
    assert world.sync().changed == 0


def test_a_repeated_request_gets_the_first_run(world: World) -> None:
    request = world.request_id()
    first = world.sync(request)
    world.create("res.partner", {"name": "Dora Dahl"})
    assert world.sync(request) == first
    assert len(stored(world, "sync_run")) == 2
    world.odoo.down = True
    again = world.request_id()
    failed = world.sync(again)
    world.odoo.down = False
    assert world.sync(again) == failed
    with pytest.raises(RequestIdReused):
        world.sync(request, company="other")


def test_one_company_of_odoo_has_one_name(world: World) -> None:
    with pytest.raises(CompanyTaken):
        world.sync(company="acme-2")
    assert [row["company"] for row in stored(world, "legal_entity")] == ["acme"]


def test_several_companies_must_be_told_apart(world: World) -> None:
    odoo = _Companies([{"id": 1}, {"id": 2}])
    with pytest.raises(CompanyAmbiguous):
        OdooMasters(odoo).read("acme", 0)
    with pytest.raises(CompanyUnknown):
        OdooMasters(_Companies([])).read("acme", 7)


class _Companies:
    def __init__(self, rows: list[dict[str, int]]) -> None:
        self._rows = rows

    def execute(self, model: str, method: str, args: list[Any], kwargs: Any = None) -> Any:
        assert (model, method) == ("res.company", "search_read")
        return self._rows


def test_a_configured_list_of_companies_is_all_there_is() -> None:
    assert odoo_company_of("acme", {}) == 0
    assert odoo_company_of("beta", {"acme": 1, "beta": 3}) == 3
    with pytest.raises(CompanyUnknown):
        odoo_company_of("acne", {"acme": 1})


def test_a_reading_that_was_overtaken_is_not_stored(world: World) -> None:
    """The slow one began earlier: what it read may be older than what is there."""

    class Slow:
        def read(self, company: str, odoo_company: int) -> Reading:
            old = world.source.read(company, odoo_company)
            world.change("res.partner", [["name", "=", "Ada Archer"]], {"name": "Ada Brown"})
            assert world.sync().changed == 1
            return old

    run = world.sync_from(Slow())("acme", "olga", world.request_id())
    assert (run.state, run.reason) == (SyncState.FAILED, "SYNC_OVERTAKEN")
    assert "Ada Brown" in {row["name"] for row in stored(world, "party")}


def test_every_run_stands_in_the_audit_log(world: World) -> None:
    world.odoo.down = True
    failed = world.sync()
    with world.new_uow(read_only=True) as uow:
        (entry,) = AuditLog(uow.connection, TABLES).of_subject(failed.name)
    assert (entry.entry.action, entry.entry.actor, entry.entry.reason) == ("SYNC_FAILED", "olga", "ODOO_UNAVAILABLE")


def test_the_worker_syncs_when_a_company_is_due(world: World) -> None:
    worker = SyncWorker(world.sync_from(world.source), world.new_uow, world.clock, world.ids, 60, ())
    assert worker.run_once() == 0
    for _ in range(60):
        world.clock()
    assert worker.run_once() == 1
    assert worker.run_once() == 0
    world.odoo.down = True
    for _ in range(60):
        world.clock()
    assert worker.run_once() == 1
    assert worker.run_once() == 0, "a failed run waits for the next interval too"


def test_the_worker_syncs_configured_companies_before_anybody_asks(engine_for: EngineFor) -> None:
    world = new_world(engine_for, synced=False)
    worker = SyncWorker(world.sync_from(world.source), world.new_uow, world.clock, world.ids, 60, ("acme",))
    assert worker.run_once() == 1
    assert [row["company"] for row in stored(world, "legal_entity")] == ["acme"]


def test_each_kind_is_listed_by_pages_in_its_order(world: World) -> None:
    for kind in (Account, Journal, TaxCode, ExchangeRate, Party):
        with world.new_uow(read_only=True) as uow:
            whole = uow.masters.page(kind, "acme", 1000, None).items
            part = uow.masters.page(kind, "acme", 2, None)
            seen: list[Any] = [*part.items]
            while part.after is not None:
                assert len(part.items) == 2
                part = uow.masters.page(kind, "acme", 2, part.after)
                seen += part.items
        assert seen == whole
        assert whole
