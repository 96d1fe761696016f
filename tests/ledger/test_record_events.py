from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from libs.access import EVERYTHING
from libs.events import BalanceTransaction, Event, EventInvalid, Reference, ReferenceKind
from libs.money import Money
from libs.storage.sealer import Sealer
from libs.storage.verification import verify
from services.ledger.domain.errors import EventConflict, EventRefused
from services.ledger.domain.event import BuildState, RecordedEvent
from services.ledger.handlers.record_events import check
from services.ledger.storage import PROOFS
from services.ledger.storage.tables import EVENT, EVENT_REFERENCE, TABLES
from tests.ledger.events import CHARGE, ORDER, capture, evidence
from tests.ledger.world import World


def answered(answer: RecordedEvent | EventRefused) -> RecordedEvent:
    assert isinstance(answer, RecordedEvent)
    return answer


def counted(world: World) -> tuple[int, int, int]:
    """Events, references and audit entries."""
    with world.reading() as uow:
        tables = (EVENT, EVENT_REFERENCE, TABLES.audit_entry)
        events, references, entries = [uow.connection.scalar(select(func.count()).select_from(one)) for one in tables]
    return events or 0, references or 0, entries or 0


def test_an_event_is_stored_with_its_references_an_audit_entry_and_its_total(world: World) -> None:
    event = capture(references=(ORDER, CHARGE))
    (first,) = map(answered, world.record(event))
    assert (first.state, first.duplicate) == (BuildState.RECORDED, False)
    assert len(first.event.transaction_id) == 32
    assert counted(world) == (1, 2, 1)
    assert world.buckets() == {"pending": 1}
    assert world.event(event).event == replace(event, transaction_id=first.event.transaction_id)
    assert "build" in world.woken


def test_a_repeat_gets_the_first_answer_and_changes_nothing(world: World) -> None:
    (first,) = map(answered, world.record(capture()))
    before = counted(world)
    (again,) = map(answered, world.record(capture()))
    assert again == replace(first, duplicate=True)
    assert counted(world) == before
    assert world.buckets() == {"pending": 1}


def test_a_batch_with_an_event_twice_stores_it_once(world: World) -> None:
    first, other, again = map(answered, world.record(capture(), capture("txn_2"), capture()))
    assert [one.duplicate for one in (first, other, again)] == [False, False, True]
    assert again.event.transaction_id == first.event.transaction_id
    assert world.buckets() == {"pending": 2}


def test_another_content_under_a_known_name_is_a_conflict_that_names_both_digests(world: World) -> None:
    (first,) = map(answered, world.record(capture()))
    conflict, fine = world.record(capture(gross="109.00"), capture("txn_2"))
    assert isinstance(conflict, EventConflict)
    assert conflict.metadata["known"] == first.digest.hex != conflict.metadata["stated"]
    assert answered(fine).duplicate is False
    assert world.event(capture()).event.amount == Money("USD", 10800)


def test_what_a_repeat_adds_is_merged_and_nothing_known_is_replaced(world: World) -> None:
    world.record(capture(references=(ORDER,)))
    richer = capture(references=(CHARGE,))
    assert isinstance(richer.body, BalanceTransaction)
    richer = replace(richer, body=replace(richer.body, customer_id="cus_ada", source_id="another"))
    (merged,) = map(answered, world.record(richer))
    assert merged.event.references == (ORDER, CHARGE)
    assert isinstance(merged.event.body, BalanceTransaction)
    assert (merged.event.body.customer_id, merged.event.body.source_id) == ("cus_ada", "ch_1")
    assert world.event(capture()).event == merged.event
    assert counted(world) == (1, 2, 2)


def test_an_id_told_for_a_known_event_stands_for_its_transaction(world: World) -> None:
    (first,) = map(answered, world.record(replace(capture(), transaction_id="a" * 32)))
    world.record(replace(capture(), transaction_id="b" * 32))
    with world.reading() as uow:
        meant, steps = uow.trail.steps("b" * 32, EVERYTHING)
    assert meant == first.event.transaction_id == "a" * 32
    assert [one.step for one in steps] == ["recorded"]


def test_evidence_is_counted_as_no_effect_and_not_built_unless_it_joins_stories(world: World) -> None:
    alone, joining = evidence("evt_1", ORDER), evidence("evt_2", ORDER, CHARGE)
    assert [answered(one).state for one in world.record(alone, joining)] == [BuildState.NO_EFFECT] * 2
    assert world.buckets() == {"no_effect": 2}
    assert world.builder.run_once() == 1
    assert world.builder.run_once() == 0
    assert world.event(joining).state is BuildState.NO_EFFECT


def test_racing_callers_store_an_event_once(world: World) -> None:
    answers: list[RecordedEvent | EventRefused] = []
    events = [capture(f"txn_{number}") for number in range(20)]

    def deliver(order: list[Event]) -> None:
        for start in range(0, 20, 5):
            answers.extend(world.record(*order[start : start + 5]))

    threads = [threading.Thread(target=deliver, args=(order,)) for order in (events, events[::-1], events)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 60
    assert sum(not answered(one).duplicate for one in answers) == 20
    assert world.buckets() == {"pending": 20}


def test_the_audit_chain_holds_after_everything(world: World) -> None:
    world.build(capture(), capture("txn_2"))
    world.record(capture(references=(ORDER,)))
    world.post()
    sealer = Sealer(world.new_uow, TABLES)
    while sealer.run_once():
        pass
    with world.reading() as uow:
        verified = verify(uow.connection, PROOFS)
    assert verified.faults == ()
    assert verified.sealed == verified.entries > 8


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"company": "c" * 65}, "company"),
        ({"object_id": "a\nb"}, "object_id"),
        ({"object_id": "é" * 255}, "object_id"),
        ({"references": (Reference(ReferenceKind.ORDER, ""),)}, "references.value"),
        ({"references": (Reference(ReferenceKind.ORDER, "x" * 256),)}, "references.value"),
        ({"references": (Reference(ReferenceKind.ORDER, "1", "a\x00b"),)}, "references.issuer"),
        ({"references": tuple(Reference(ReferenceKind.ORDER, str(n)) for n in range(101))}, "references"),
    ],
)
def test_what_the_ledger_cannot_keep_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(EventInvalid) as refused:
        check(replace(capture(), **change))  # type: ignore[arg-type]
    assert refused.value.field == field
