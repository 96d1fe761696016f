"""The sandbox as a tool of the simulation: repeatable, copied cheaply, failing on order; and the rules
that cannot be tried on a live server because they cannot be undone."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.odoo.errors import OdooConflict, OdooError, OdooOutcomeUnknown, OdooRefused, OdooUnavailable, conflict_in_load
from sandbox import chart
from sandbox.engine import Sandbox
from sandbox.failures import ServerFailure
from sandbox.seed import bootstrap
from sandbox.transport import InProcess
from tests.lossy_transport import LossyTransport
from tests.odoo.contract.documents import ENTRY_FIELDS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Make = Callable[..., Sandbox]


@pytest.fixture(scope="module")
def template() -> Sandbox:
    sandbox = Sandbox(":memory:", lambda: NOW)
    bootstrap(sandbox)
    return sandbox


@pytest.fixture
def sandbox(template: Sandbox) -> Sandbox:
    return template.copy()


def _ids(sandbox: Sandbox, model: str) -> dict[str, int]:
    rows = sandbox.execute("admin", model, "search_read", [[], ["code"]])
    return {row["code"]: row["id"] for row in rows}


def _rows(sandbox: Sandbox, name: str, day: str = "2026-10-15") -> list[list[str]]:
    accounts, journals = _ids(sandbox, "account.account"), _ids(sandbox, "account.journal")
    head = [f"x.{name}", "entry", str(journals["STRP"]), day, name]
    fee, clearing = str(accounts["621000"]), str(accounts["124100"])
    return [
        [*head, f"x.{name}_l1", fee, "d", "10.0", "0"],
        ["", "", "", "", "", f"x.{name}_l2", clearing, "c", "0", "10.0"],
    ]


def _load(odoo: InProcess | LossyTransport, rows: list[list[str]]) -> Any:
    return odoo.execute("account.move", "load", [ENTRY_FIELDS, rows])


def _dump(sandbox: Sandbox) -> str:
    return "\n".join(sandbox.store.db.iterdump())


def test_the_same_calls_give_the_same_books(template: Sandbox) -> None:
    worlds = [template.copy(), template.copy()]
    for world in worlds:
        odoo = InProcess(world, "concord")
        for number in range(5):
            answer = _load(odoo, _rows(world, f"k{number}"))
            odoo.execute("account.move", "action_post", [answer["ids"]])
    assert _dump(worlds[0]) == _dump(worlds[1])


def test_a_copy_leads_a_life_of_its_own(template: Sandbox) -> None:
    before = _dump(template)
    twin = template.copy()
    _load(InProcess(twin, "concord"), _rows(twin, "only-here"))
    assert _dump(template) == before
    assert _dump(twin) != before


def test_a_copy_may_live_on_another_day(template: Sandbox) -> None:
    later = template.copy(lambda: datetime(2027, 1, 5, tzinfo=UTC))
    made = later.execute("concord", "account.move", "create", [{"move_type": "entry"}])
    assert later.execute("concord", "account.move", "read", [[made], ["date"]])[0]["date"] == "2027-01-05"


def test_a_failed_call_leaves_no_trace(sandbox: Sandbox) -> None:
    before = _dump(sandbox)
    entry = {"move_type": "entry", "line_ids": [[0, 0, {"account_id": 1, "debit": 1.0}]]}
    with pytest.raises(ServerFailure):
        sandbox.execute("concord", "account.move", "create", [entry])
    assert _dump(sandbox) == before


def test_bootstrapping_books_that_have_a_company_changes_nothing(sandbox: Sandbox) -> None:
    before = _dump(sandbox)
    bootstrap(sandbox)
    assert _dump(sandbox) == before


def test_what_cannot_be_imitated_is_refused_and_not_pretended(sandbox: Sandbox) -> None:
    accounts, journals = _ids(sandbox, "account.account"), _ids(sandbox, "account.journal")
    line = [0, 0, {"account_id": accounts["400000"], "balance": -5.0}]
    values = {"move_type": "out_invoice", "journal_id": journals["INV"], "invoice_line_ids": [line]}
    with pytest.raises(ServerFailure, match="does not imitate"):
        sandbox.execute("concord", "account.move", "create", [values])
    with pytest.raises(ServerFailure, match=r"Object account\.payment doesn't exist"):
        sandbox.execute("concord", "account.payment", "search", [[]])


def test_the_chart_names_each_role_once_for_each_currency(sandbox: Sandbox) -> None:
    keys = [(spec.role, spec.currency) for spec in chart.PLAN.accounts]
    assert len(keys) == len(set(keys))
    assert {spec.code for spec in chart.PLAN.accounts} == set(_ids(sandbox, "account.account"))
    clearing = {spec.currency: spec.code for spec in chart.PLAN.accounts if spec.role == "CLR"}
    assert clearing == {"USD": "124100", "EUR": "124101"}


def test_the_hard_lock_moves_dates_and_only_ever_goes_forward(sandbox: Sandbox) -> None:
    def set_lock(day: str | bool) -> None:
        sandbox.execute("admin", "res.company", "write", [[1], {"hard_lock_date": day}])

    set_lock("2024-12-31")
    odoo = InProcess(sandbox, "concord")
    made = _load(odoo, _rows(sandbox, "hard", "2024-06-30"))["ids"]
    odoo.execute("account.move", "action_post", [made])
    assert odoo.execute("account.move", "read", [made, ["date"]])[0]["date"] == "2025-01-31"
    for day in ("2023-12-31", False):
        with pytest.raises(ServerFailure) as refused:
            set_lock(day)
        assert refused.value.name == "odoo.exceptions.UserError"
    set_lock("2025-06-30")


def test_an_exception_opens_a_locked_period_for_its_user_until_it_is_revoked(sandbox: Sandbox) -> None:
    sandbox.execute("admin", "res.company", "write", [[1], {"fiscalyear_lock_date": "2026-09-30"}])
    values = {
        "user_id": sandbox.user_id("concord"),
        "fiscalyear_lock_date": "2026-07-31",
        "end_datetime": "2027-01-01 00:00:00",
        "reason": "late entry",
    }
    opened = sandbox.execute("admin", "account.lock_exception", "create", [values])
    odoo = InProcess(sandbox, "concord")

    def posted_on(name: str) -> str:
        made = _load(odoo, _rows(sandbox, name, "2026-08-15"))["ids"]
        odoo.execute("account.move", "action_post", [made])
        return str(odoo.execute("account.move", "read", [made, ["date"]])[0]["date"])

    assert posted_on("within") == "2026-08-15"
    company = odoo.execute("res.company", "read", [[1], ["fiscalyear_lock_date", "user_fiscalyear_lock_date"]])[0]
    assert (company["fiscalyear_lock_date"], company["user_fiscalyear_lock_date"]) == ("2026-09-30", "2026-07-31")
    sandbox.execute("admin", "account.lock_exception", "action_revoke", [[opened]])
    assert posted_on("after") == "2026-10-31"


def test_one_rate_a_day(sandbox: Sandbox) -> None:
    euro = sandbox.execute("admin", "res.currency", "search", [[["name", "=", "EUR"]]])[0]
    rate = {"currency_id": euro, "name": "2026-10-01", "rate": 0.5}
    sandbox.execute("admin", "res.currency.rate", "create", [rate])
    with pytest.raises(ServerFailure, match="Only one currency rate per day allowed!"):
        sandbox.execute("admin", "res.currency.rate", "create", [rate])


def test_a_contact_belongs_to_the_top_of_its_tree(sandbox: Sandbox) -> None:
    company = sandbox.execute("admin", "res.partner", "create", [{"name": "Firm", "is_company": True}])
    contact = sandbox.execute("admin", "res.partner", "create", [{"name": "Clerk", "parent_id": company}])
    rows = sandbox.execute("admin", "res.partner", "read", [[contact], ["commercial_partner_id", "display_name"]])
    assert rows[0]["commercial_partner_id"] == [company, "Firm"]
    assert rows[0]["display_name"] == "Firm, Clerk"


def test_a_lost_reply_was_executed_and_a_lost_request_was_not(sandbox: Sandbox) -> None:
    odoo = InProcess(sandbox, "concord")
    for rates, expected in (({"lose_reply": 1.0}, 1), ({"lose_request": 1.0}, 0)):
        world = sandbox.copy()
        lossy = LossyTransport(InProcess(world, "concord"), random.Random(1), **rates)
        with pytest.raises(OdooOutcomeUnknown):
            _load(lossy, _rows(world, "k"))
        assert InProcess(world, "concord").execute("account.move", "search_count", [[]]) == expected
    assert odoo.execute("account.move", "search_count", [[]]) == 0


def test_a_refused_connection_and_an_outage_do_nothing(sandbox: Sandbox) -> None:
    for lossy in (
        LossyTransport(InProcess(sandbox, "concord"), random.Random(1), refuse=1.0),
        LossyTransport(InProcess(sandbox, "concord"), random.Random(1)),
    ):
        lossy.down = True
        with pytest.raises(OdooUnavailable):
            _load(lossy, _rows(sandbox, "k"))
        lossy.down = False
    assert InProcess(sandbox, "concord").execute("account.move", "search_count", [[]]) == 0


def test_a_conflict_is_an_error_but_for_load_which_swallows_it(sandbox: Sandbox) -> None:
    lossy = LossyTransport(InProcess(sandbox, "concord"), random.Random(1), conflict=1.0)
    answer = _load(lossy, _rows(sandbox, "k"))
    assert answer["ids"] is False
    assert conflict_in_load(answer["messages"])
    with pytest.raises(OdooConflict):
        lossy.execute("account.move", "action_post", [[1]])
    assert lossy.injected["conflict"] == 2


def test_one_seed_gives_one_run_of_faults(sandbox: Sandbox) -> None:
    def faults(seed: int) -> list[str]:
        world = sandbox.copy()
        odoo = LossyTransport(
            InProcess(world, "concord"), random.Random(seed), lose_reply=0.2, lose_request=0.2, refuse=0.2, conflict=0.2
        )
        seen = []
        for number in range(40):
            try:
                seen.append("no" if _load(odoo, _rows(world, f"k{number}"))["ids"] is False else "ok")
            except OdooError as error:
                seen.append(type(error).__name__)
        return seen

    assert faults(7) == faults(7)
    assert faults(7) != faults(8)
    assert {"ok", "no", "OdooOutcomeUnknown", "OdooUnavailable"} <= set(faults(7))


def test_an_in_process_refusal_is_the_same_error_as_over_the_network(sandbox: Sandbox) -> None:
    odoo = InProcess(sandbox, "concord")
    made = _load(odoo, _rows(sandbox, "k"))["ids"]
    odoo.execute("account.move", "action_post", [made])
    with pytest.raises(OdooRefused) as refused:
        odoo.execute("account.move", "action_post", [made])
    assert refused.value.name == "odoo.exceptions.UserError"


def test_posting_is_quick_enough_to_simulate_thousands(sandbox: Sandbox) -> None:
    """A guard against a query that has lost its index: far above what a call costs."""
    odoo = InProcess(sandbox, "concord")
    rows = [row for number in range(500) for row in _rows(sandbox, f"k{number}")]
    counted: list[str] = []
    sandbox.store.db.set_trace_callback(counted.append)
    answer = _load(odoo, rows)
    odoo.execute("account.move", "action_post", [answer["ids"]])
    sandbox.store.db.set_trace_callback(None)
    assert len(counted) < 500 * 60


def test_after_a_refused_batch_the_look_up_may_answer_a_model_without_an_id(sandbox: Sandbox) -> None:
    """As observed live: Odoo's cache remembers what the rollback took back. It means: not there."""
    odoo = InProcess(sandbox, "concord")
    bad = _rows(sandbox, "bad")
    bad[1][-1] = "9.0"
    assert _load(odoo, _rows(sandbox, "good") + bad)["ids"] is False
    look_up = ("ir.model.data", "check_object_reference", ["x", "good"])
    assert odoo.execute(*look_up) == ["account.move", False]
    made = _load(odoo, _rows(sandbox, "good"))["ids"]
    assert odoo.execute(*look_up) == ["account.move", made[0]]
