"""What must hold once everything has come to rest, whatever the seed did on the way."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

from sqlalchemy import inspect

from libs.access import EVERYTHING
from libs.storage.totals import Total
from libs.storage.verification import verify
from sandbox.chart import PLAN
from services.gateway.storage import PROOFS as GATEWAY_PROOFS
from services.gateway.storage import GatewayUow
from services.ledger.storage import PROOFS as LEDGER_PROOFS
from services.ledger.storage.uow import LedgerUowFactory
from services.recon.storage import PROOFS as RECON_PROOFS
from services.recon.storage import ReconUow
from tests.simulation.day import COMPANY
from tests.simulation.expected import UNDATED, Books, expected_books
from tests.simulation.world import World
from tests.storage.stored import stored

MODULE = "concord_sim"
_Day = tuple[str, str, str]  # interface, currency, day
MILLIONTHS_A_CENT = 10_000
PROOFS = {"gateway": GATEWAY_PROOFS, "ledger": LEDGER_PROOFS, "recon": RECON_PROOFS}
# What recon lists for a person: the bank line and the payment that nothing explains.
DIFFERENCES = {("NO_CANDIDATE", 1234), ("PAYMENT_WITHOUT_ORDER", 1500)}
# Exception cases that the day must end with, and no other.
CASES = Counter({"PROVIDER_ITEM_UNEXPLAINED": 1, "MAPPING_MISSING": 1})
_ROLES = {spec.code: spec.role for spec in PLAN.accounts}


def problems(world: World) -> list[str]:
    """Everything that is wrong; empty if the day ended as it must."""
    checks = (
        _nothing_waits,
        _answers_agree,
        _nothing_is_missing,
        _cases,
        _differences,
        _stripe_agrees,
        _odoo_holds_each_once,
        _books_agree,
        _open_items,
        _ledger_sees_what_is_open,
        _chains_hold,
        _watchers_miss_nothing,
    )
    return [problem for check in checks for problem in check(world)]


def books_of(world: World) -> Books:
    """Balances of what is posted in Odoo, as `expected.Books`."""
    rows = world.sandbox.store.rows(
        "SELECT a.code, coalesce(p.name, ''), c.name, l.date, sum(l.amount_currency), sum(l.balance)"
        " FROM account_move_line l JOIN account_move m ON m.id = l.move_id"
        " JOIN account_account a ON a.id = l.account_id JOIN res_currency c ON c.id = l.currency_id"
        " LEFT JOIN res_partner p ON p.id = l.partner_id WHERE m.state = 'posted' GROUP BY 1, 2, 3, 4"
    )
    sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for code, partner, currency, day, amount, balance in rows:
        role = _ROLES[code]
        one = sums[role, partner if role == "AR" else "", currency, "" if role in UNDATED else day]
        one[0] += _cents(amount)
        one[1] += _cents(balance)
    books = {key: (amount, home) for key, (amount, home) in sums.items() if amount or home}
    return _exchange_in_home_currency(books)


def journal_hash(world: World) -> str:
    """Over all that the services and Odoo have stored, ids and times included."""
    digest = hashlib.sha256()
    for service, engine in sorted(world.engines.items()):
        for table in sorted(inspect(engine).get_table_names()):
            digest.update(f"\n{service}.{table}".encode())
            for row in stored(engine, table):
                digest.update(repr(row).encode())
    for table in ("account_move", "account_move_line", "account_partial_reconcile", "ir_model_data"):
        for record in world.sandbox.store.rows(f"SELECT * FROM {table} ORDER BY id"):
            digest.update(repr(tuple(record)).encode())
    return digest.hexdigest()


def _nothing_waits(world: World) -> list[str]:
    return [
        f"{service} has unfinished {queue}: {rows}"
        for service, queues in world.queues.items()
        for queue, rows in queues.unfinished().items()
    ]


def _answers_agree(world: World) -> list[str]:
    """Whoever sends a message again gets the first answer."""
    told = {title: {one.transaction_id for one in receipts} for title, receipts in world.receipts.items()}
    found = [f"{title} got {len(ids)} transaction ids" for title, ids in told.items() if len(ids) > 1]
    refused = len(world.day.forgeries())
    return found if world.refused == refused else [*found, f"{world.refused} of {refused} forged messages were refused"]


def _nothing_is_missing(world: World) -> list[str]:
    """Completeness: what was handed on is what the ledger accounts for, in count, money and names; none is pending."""
    handed_on: dict[_Day, Total] = defaultdict(Total)
    with GatewayUow(world.engines["gateway"], read_only=True) as gateway:
        handing_on = gateway.trail.totals(COMPANY, EVERYTHING)
    with ReconUow(world.engines["recon"], read_only=True) as recon:
        handing_on += recon.trail.totals(COMPANY, EVERYTHING)
    for total in handing_on:
        if total.bucket == "handed_on":
            told = Total(total.count, total.minor_units, int(total.names_hash, 16))
            handed_on[total.interface, total.currency, str(total.day)] += told
    accounted: dict[_Day, Total] = defaultdict(Total)
    found = []
    with LedgerUowFactory(world.engines["ledger"])(read_only=True) as uow:
        for total in uow.trail.totals(COMPANY, EVERYTHING):
            kept = Total(total.count, total.minor_units, int(total.names_hash, 16))
            accounted[total.interface, total.currency, str(total.day)] += kept
            if total.bucket == "pending" and total.count:
                found.append(f"{total.count} events of {total.interface} are pending")
    found += [
        f"{day}: handed on {handed_on[day]}, accounted for {accounted[day]}"
        for day in sorted(handed_on.keys() | accounted.keys())
        if handed_on[day] != accounted[day]
    ]
    sent = _column(world, "gateway", "event", "name")
    sent |= _column(world, "recon", "outbound_event", "name")
    recorded = _column(world, "ledger", "event", "name")
    return found if sent == recorded else [*found, f"events on one side alone: {sorted(sent ^ recorded)}"]


def _column(world: World, service: str, table: str, column: str) -> set[str]:
    return {value for (value,) in stored(world.engines[service], table, column)}


def _differences(world: World) -> list[str]:
    rows = stored(world.engines["recon"], "difference", "reason", "minor_units", "state")
    found = {(reason, units) for reason, units, state in rows if state != "resolved"}
    return [] if found == DIFFERENCES else [f"differences {sorted(found)}, they must be {sorted(DIFFERENCES)}"]


def _cases(world: World) -> list[str]:
    with LedgerUowFactory(world.engines["ledger"])(read_only=True) as uow:
        cases = [one for one in uow.cases.page(COMPANY, None, EVERYTHING, 100, None) if one.resolved_at is None]
    found = Counter(one.doubt.reason for one in cases)
    return [] if found == CASES else [f"exceptions {dict(found)}: {[(one.subject, one.doubt.reason) for one in cases]}"]


def _odoo_holds_each_once(world: World) -> list[str]:
    """Each posted effect is one document under its external id, posted; there is no other document and no draft."""
    found = []
    store = world.sandbox.store
    drafts = store.one("SELECT count(*) FROM account_move WHERE state <> 'posted'")
    if drafts:
        found.append(f"{drafts} documents in Odoo are not posted")
    ledger = world.engines["ledger"]
    posted = set(stored(ledger, "posting", "key", "odoo_model", "odoo_id", state="posted"))
    exchanges = len(stored(ledger, "exchange_entry"))
    models = "('account.move', 'account.bank.statement.line')"
    named = store.rows(f"SELECT name, model, res_id FROM ir_model_data WHERE module = '{MODULE}' AND model IN {models}")
    held = {tuple(row) for row in named}
    if held != posted:
        found.append(f"effects on one side alone: {sorted(held ^ posted)}")
    moves = store.one("SELECT count(*) FROM account_move")
    if moves != len(posted) + exchanges:
        found.append(f"{moves} documents in Odoo, of {len(posted)} effects and {exchanges} exchange entries")
    return found


def _books_agree(world: World) -> list[str]:
    is_, must = books_of(world), expected_books(world.day)
    return [
        f"{key}: the books say {is_.get(key)}, the inputs {must.get(key)}"
        for key in sorted(is_.keys() | must.keys())
        if is_.get(key) != must.get(key)
    ]


def _stripe_agrees(world: World) -> list[str]:
    """The clearing account shows the provider's own balance."""
    cents = sum(home for (role, *_), (_, home) in books_of(world).items() if role == "CLR")
    balance = world.day.stripe.balance()
    return [] if cents == balance else [f"clearing shows {cents}, the provider {balance}"]


def _open_items(world: World) -> list[str]:
    """What reconciliation must leave open, by role and partner."""
    rows = world.sandbox.store.rows(
        "SELECT a.code, coalesce(p.name, ''), sum(l.amount_residual) FROM account_move_line l"
        " JOIN account_move m ON m.id = l.move_id JOIN account_account a ON a.id = l.account_id"
        " LEFT JOIN res_partner p ON p.id = l.partner_id"
        " WHERE m.state = 'posted' AND a.reconcile = 1 AND l.reconciled = 0 GROUP BY 1, 2"
    )
    open_items = {(_ROLES[code], partner): _cents(residual) for code, partner, residual in rows}
    must: dict[tuple[str, str], int] = defaultdict(int)
    for (role, partner, _, _), (_, home) in expected_books(world.day).items():
        if role in ("AR", "CLR", "DSP", "UNX", "TRN"):
            must[role, partner] += home
    wanted = {key: cents for key, cents in must.items() if cents}
    return [] if open_items == wanted else [f"open items {open_items}, they must be {wanted}"]


def _ledger_sees_what_is_open(world: World) -> list[str]:
    """The ledger's picture of what reconciliation has left open is Odoo's."""
    rows = world.sandbox.store.rows(
        "SELECT d.name, a.code, l.reconciled FROM ir_model_data d JOIN account_move_line l ON l.move_id = d.res_id"
        " JOIN account_account a ON a.id = l.account_id"
        f" WHERE d.module = '{MODULE}' AND d.model = 'account.move' AND a.reconcile = 1"
    )
    still_open: dict[str, set[str]] = defaultdict(set)
    for key, code, reconciled in rows:
        still_open[key] |= set() if reconciled else {_ROLES[code]}
    return [
        f"{key}: the ledger says {roles!r} is open, Odoo {sorted(still_open[key])}"
        for key, roles in stored(world.engines["ledger"], "posting", "key", "open_roles", odoo_model="account.move")
        if set(roles.split()) != still_open[key]
    ]


def _chains_hold(world: World) -> list[str]:
    found = []
    for service, engine in world.engines.items():
        with engine.connect() as connection:
            seen = verify(connection, PROOFS[service])
        found += [f"{service}: {fault}" for fault in seen.faults]
        if seen.entries != seen.sealed:
            found.append(f"{service}: {seen.entries - seen.sealed} audit entries are not sealed")
    return found


def _watchers_miss_nothing(world: World) -> list[str]:
    """A watcher who asked now and then, and began again where it stopped, saw what one sees that asks once."""
    world.watch(limit=10_000)
    with LedgerUowFactory(world.engines["ledger"])(read_only=True) as uow:
        all_changes = [(one.number, one.posting.key) for one in uow.changes.after(COMPANY, EVERYTHING, 0, 100_000)]
    numbers = [number for number, _ in all_changes]
    found = ["the stream's numbers are not in order"] if numbers != sorted(set(numbers)) else []
    told = _column(world, "ledger", "outbox", "id")
    if len(told) != len(all_changes):
        found.append(f"the stream has {len(all_changes)} changes of {len(told)}")
    return found if world.watched == all_changes else [*found, "a watcher saw another stream"]


def _exchange_in_home_currency(books: Books) -> Books:
    """Odoo's own exchange entry bears the foreign currency with an amount of zero; ours bears the company's."""
    exchange = [key for key in books if key[0] == "FXD"]
    home = sum(books[key][1] for key in exchange)
    kept = {key: value for key, value in books.items() if key[0] != "FXD"}
    return kept | ({("FXD", "", "USD", ""): (home, home)} if home else {})


def _cents(millionths: int) -> int:
    cents, rest = divmod(millionths, MILLIONTHS_A_CENT)
    assert not rest, "less than a cent in the books"
    return cents
