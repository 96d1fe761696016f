"""Stories are reconciled by the batch: few calls for all of them, and what befalls one befalls no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from libs.errors import ConcordError, Kind
from libs.events import Event, EventKind, Reference, ReferenceKind
from libs.money import Money
from libs.odoo.errors import OdooError, OdooMalformed, OdooMissing, OdooOutcomeUnknown, OdooRefused, OdooUnavailable
from libs.odoo.port import Json
from services.ledger.workers.reconcile import LOST_AT_MOST
from tests.ledger.domain.books import line, money, order
from tests.ledger.posting.world import PostingWorld, Watched
from tests.storage.stored import stored


def sale(number: int, currency: str = "USD", total: str = "108.00") -> Event:
    name = f"sources/shopify/accounts/shop-1/events/order-{number}-paid"
    made = order((line(total, currency=currency),), total, "0.00", number=f"{number}", currency=currency)
    return replace(made, name=name, object_id=f"{number}")


def capture(number: int, **more: object) -> Event:
    references = (Reference(ReferenceKind.ORDER, f"{number}"),)
    told = {"gross": "108.00", "fee": "3.43", **more}
    return money(EventKind.CAPTURE, txn=f"txn_{number}", customer="cus_ada", references=references, **told)  # type: ignore[arg-type]


def stand_open(world: PostingWorld, *events: Event) -> None:
    """All posted, nothing reconciled."""
    world.build(*events)
    while world.post_a_batch():
        pass


def sales(count: int) -> list[Event]:
    return [event for number in range(count) for event in (sale(number), capture(number))]


def closed(world: PostingWorld, numbers: Sequence[int]) -> set[int]:
    """The sales of which nothing is open but the money at the provider."""
    return {
        number
        for number in numbers
        if {one.open_roles for one in world.postings(sale(number), capture(number))} == {"", "CLR"}
    }


def partials(world: PostingWorld) -> int:
    return int(world.admin.execute("account.partial.reconcile", "search_count", [[]]))


def test_many_stories_are_read_together_and_only_reconciling_is_a_call_for_each(world: PostingWorld) -> None:
    stand_open(world, *sales(8))
    watched = Watched(world)
    assert world.reconciler.run_once() == 8
    assert watched.calls == {
        "account.move.read": 2,
        "account.move.line.search_read": 2,
        "account.move.line.reconcile": 8,
        "account.partial.reconcile.search_read": 1,
    }
    assert closed(world, range(8)) == set(range(8))
    assert world.reconciler.run_once() == 0


def test_stories_with_nothing_to_reconcile_cost_one_look(world: PostingWorld) -> None:
    stand_open(world, *(sale(number) for number in range(8)))
    watched = Watched(world)
    assert world.reconciler.run_once() == 8
    assert watched.calls == {"account.move.read": 1, "account.move.line.search_read": 1}
    assert world.reconciler.run_once() == 0


@pytest.mark.parametrize(
    ("error", "reasons"),
    [
        (OdooRefused("odoo.exceptions.UserError", "no"), ["ODOO_REFUSED"]),
        (OdooMissing("odoo.exceptions.MissingError"), ["ODOO_RECORD_MISSING"]),
        (OdooOutcomeUnknown("ReplyLost"), []),
    ],
    ids=str,
)
def test_one_story_that_is_not_reconciled_keeps_no_other_open(
    world: PostingWorld, error: OdooError, reasons: list[str]
) -> None:
    stand_open(world, *sales(5))
    left = [error]

    def third(model: str, method: str, args: list[Json]) -> None:
        if method == "reconcile" and partials(world) == 2 and left:
            raise left.pop()

    Watched(world, before=third)
    world.reconciler.run_once()
    assert len(closed(world, range(5))) == 4
    assert world.reasons() == reasons
    world.pass_time(601)
    world.reconciler.run_once()
    assert (len(closed(world, range(5))), partials(world), world.reasons()) == (5, 5, [])


@pytest.mark.parametrize(
    "error", [OdooRefused("odoo.exceptions.UserError"), OdooMalformed("builtins.ValueError"), OdooOutcomeUnknown("x")]
)
def test_one_document_that_odoo_can_not_read_keeps_no_other_story_open(world: PostingWorld, error: OdooError) -> None:
    stand_open(world, *sales(16))
    (bad, *_) = world.postings(sale(11))

    def unreadable(model: str, method: str, args: list[Json]) -> None:
        if (model, method) == ("account.move", "read") and bad.odoo_id in args[0]:
            raise error

    Watched(world, before=unreadable)
    world.reconciler.run_once()
    assert closed(world, range(16)) == set(range(16)) - {11}


def test_a_reply_that_is_lost_after_the_fact_is_looked_up_and_reconciled_once(world: PostingWorld) -> None:
    stand_open(world, *sales(4))
    lost = ["reconcile", "search_read"]

    def reply_lost(model: str, method: str, args: list[Json]) -> None:
        if partials(world) and method in lost:
            lost.remove(method)
            raise OdooOutcomeUnknown("ReplyLost")

    Watched(world, after=reply_lost)
    world.work(rounds=20)
    assert not lost
    assert (closed(world, range(4)), partials(world), world.reasons()) == ({0, 1, 2, 3}, 4, [])


def test_an_odoo_that_hangs_is_not_asked_for_every_story(world: PostingWorld) -> None:
    stand_open(world, *sales(20))

    def hangs(model: str, method: str, args: list[Json]) -> None:
        raise OdooOutcomeUnknown("ReadTimeout")

    watched = Watched(world, before=hangs)
    assert world.reconciler.run_once() == 20
    assert watched.calls.total() == LOST_AT_MOST + 1
    assert world.reconciler.run_once() == 0  # all of them wait


def test_an_odoo_that_goes_away_in_the_middle_finds_the_rest_later(world: PostingWorld) -> None:
    stand_open(world, *sales(5))
    down = [OdooUnavailable("refused")] * 2

    def goes(model: str, method: str, args: list[Json]) -> None:
        if down and partials(world) == 2:
            raise down.pop()

    watched = Watched(world, before=goes)
    world.reconciler.run_once()
    assert watched.calls["account.move.line.reconcile"] == 3
    assert closed(world, range(5)) == set()
    world.work(rounds=20)
    assert (len(closed(world, range(5))), partials(world), world.reasons()) == (5, 5, [])


def test_exchange_entries_are_kept_under_the_story_that_made_them(world: PostingWorld) -> None:
    foreign = (1, 2)
    stand_open(world, *(capture(n, gross="54.45", fee="1.90", presentment=Money("EUR", 5000)) for n in foreign))
    world.reconciler.run_once()
    stand_open(world, *sales(1), *(sale(n, "EUR", "50.00") for n in foreign), sale(3), capture(3))
    assert world.reconciler.run_once() == 4
    domain = [["exchange_move_id", "!=", False]]
    made = world.admin.execute(
        "account.partial.reconcile", "search_read", [domain, ["exchange_move_id", "debit_move_id"]]
    )
    kept = stored(world.engine, "exchange_entry", "odoo_id", "cause")
    labels = dict(stored(world.engine, "posting", "odoo_id", "ar_group", currency="EUR"))
    invoices = world.admin.execute(
        "account.move.line", "read", [[one["debit_move_id"][0] for one in made], ["move_id"]]
    )
    wanted = [
        (one["exchange_move_id"][0], labels[line["move_id"][0]]) for one, line in zip(made, invoices, strict=True)
    ]
    assert (len(wanted), sorted(kept)) == (2, sorted(wanted))


def test_a_lease_that_runs_out_while_others_are_reconciled_is_renewed_first(world: PostingWorld) -> None:
    stand_open(world, *sales(6))
    rival = world.new_reconciler()
    taken = []

    def slow(model: str, method: str, args: list[Json]) -> None:
        if method == "reconcile":
            world.pass_time(100)
            taken.append(len(rival.claim()))

    Watched(world, after=slow)
    world.reconciler.run_once()
    assert taken == [0] * 6
    assert len(closed(world, range(6))) == 6


def test_stories_taken_over_by_another_worker_are_left_to_him(world: PostingWorld) -> None:
    stand_open(world, *sales(6))
    rival = world.new_reconciler()
    slept: list[bool] = []

    def sleeps(model: str, method: str, args: list[Json]) -> None:
        if method == "reconcile" and not slept:
            slept.append(True)
            world.pass_time(400)
            assert len(rival.claim()) == 6

    watched = Watched(world, after=sleeps)
    world.reconciler.run_once()
    assert watched.calls["account.move.line.reconcile"] == 1
    assert closed(world, range(6)) == set()
    world.work(rounds=20)
    assert (len(closed(world, range(6))), partials(world)) == (6, 6)


def test_while_nobody_says_where_the_books_are_stories_wait(world: PostingWorld) -> None:
    class Down(ConcordError):
        kind = Kind.RETRY
        reason = "SERVICE_UNAVAILABLE"

    def nobody(company: str) -> object:
        raise Down("no answer")

    stand_open(world, *sales(3))
    replace(world.reconciler, journal_of=nobody).run_once()  # type: ignore[arg-type]
    assert world.reconciler.run_once() == 0
    world.pass_time(6)
    assert world.reconciler.run_once() == 3
    assert closed(world, range(3)) == {0, 1, 2}
