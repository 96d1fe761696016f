from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update

from libs.storage import sealer as sealing
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.encoding import GENESIS
from libs.storage.engine import reading
from libs.storage.errors import StorageConflict
from libs.storage.proofs import Proofs
from libs.storage.sealer import Sealer
from libs.storage.totals import Total, TotalKey, Totals, one_event
from libs.storage.uow import BEFORE_COMMIT, UnitOfWork
from libs.storage.verification import Verification
from libs.storage.verification import verify as verify_all
from tests.storage.fixtures import EngineFor
from tests.storage.sample.storage.rows import TABLES

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SAMPLE = "tests.storage.sample"
ENTRY = TABLES.audit_entry
KEY = TotalKey("webhook/stripe", "ACME", "EUR", date(2026, 11, 22), "posted")


@pytest.fixture
def engine(engine_for: EngineFor) -> Engine:
    return engine_for(SAMPLE)


@pytest.fixture
def sealer(engine: Engine) -> Sealer:
    return Sealer(lambda: UnitOfWork(engine), TABLES)


def entry(subject: str, action: str = "POSTED", reason: str = "") -> AuditEntry:
    detail = {"from": "READY", "to": action}
    return AuditEntry(subject, action, "worker", NOW, "0" * 31 + "1", reason, content_digest="ab", detail=detail)


def append(engine: Engine, *entries: AuditEntry) -> None:
    with UnitOfWork(engine) as uow:
        AuditLog(uow.connection, TABLES).append(entries)
        uow.commit()


def verify(engine: Engine) -> Verification:
    with reading(engine) as connection:
        return verify_all(connection, Proofs(TABLES))


def numbers(engine: Engine) -> list[tuple[str, int | None]]:
    with reading(engine) as connection:
        rows = connection.execute(select(ENTRY.c.action, ENTRY.c.sealed_number).order_by(ENTRY.c.sealed_number))
        return [(action, number) for action, number in map(tuple, rows)]


def test_entries_chain_to_their_subject_s_previous_one(engine: Engine) -> None:
    append(engine, entry("a", "RECORDED"), entry("b", "RECORDED"), entry("a", "VALIDATED"))
    append(engine, entry("a", "POSTED", "a reason\nof two lines, with ümlaut 🜚"), entry("c", "RECORDED"))
    with reading(engine) as connection:
        chain = connection.execute(
            select(ENTRY.c.subject_seq, ENTRY.c.action, ENTRY.c.prev_hash, ENTRY.c.hash)
            .where(ENTRY.c.subject == "a")
            .order_by(ENTRY.c.subject_seq)
        ).all()
        stored = AuditLog(connection, TABLES).of_subject("a")
        by_transaction = AuditLog(connection, TABLES).of_transaction("0" * 31 + "1")
    assert [row[:2] for row in map(tuple, chain)] == [(1, "RECORDED"), (2, "VALIDATED"), (3, "POSTED")]
    assert [bytes(row.prev_hash) for row in chain] == [GENESIS, bytes(chain[0].hash), bytes(chain[1].hash)]
    assert stored[2].entry == entry("a", "POSTED", "a reason\nof two lines, with ümlaut 🜚")
    assert [each.entry.subject for each in by_transaction] == ["a", "b", "a", "a", "c"]
    assert verify(engine) == Verification(5, 0, ())


def test_a_line_feed_where_it_would_blur_fields_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="line feed"):
        append(engine, entry("a\n1"))


def test_two_transactions_cannot_continue_a_chain_from_the_same_entry(engine: Engine) -> None:
    append(engine, entry("a", "RECORDED"))
    with UnitOfWork(engine) as uow:
        AuditLog(uow.connection, TABLES).append([entry("a", "REJECTED")], new_subjects=True)
        with pytest.raises(StorageConflict):
            uow.commit()
    assert verify(engine) == Verification(1, 0, ())


def test_the_sealer_numbers_what_is_committed_in_order(engine: Engine, sealer: Sealer) -> None:
    append(engine, *(entry(f"s{number}", f"A{number}") for number in range(5)))
    assert sealer.run_once() == 5
    append(engine, entry("s1", "A5"))
    assert sealer.run_once() == 1
    assert sealer.run_once() == 0
    assert numbers(engine) == [(f"A{number}", number + 1) for number in range(6)]
    assert verify(engine) == Verification(6, 6, ())


def test_the_sealer_works_in_batches(engine: Engine) -> None:
    append(engine, *(entry(f"s{number}", f"A{number}") for number in range(5)))
    small = Sealer(lambda: UnitOfWork(engine), TABLES, batch=2)
    assert [small.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert verify(engine) == Verification(5, 5, ())


def test_a_commit_that_comes_late_is_numbered_later_and_never_skipped(engine: Engine, sealer: Sealer) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time, so no commit is late")
    with UnitOfWork(engine) as late:
        AuditLog(late.connection, TABLES).append([entry("slow", "LATE")])
        late._entries.write(late.connection, None)  # has the lower row id
        append(engine, entry("quick", "EARLY"))
        assert sealer.run_once() == 1
        assert dict(numbers(engine)) == {"EARLY": 1}
        late.commit()
    assert sealer.run_once() == 1
    assert dict(numbers(engine)) == {"EARLY": 1, "LATE": 2}
    assert verify(engine) == Verification(2, 2, ())


def test_one_process_seals_at_a_time(engine: Engine, sealer: Sealer) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    append(engine, entry("a"))
    sealer.run_once()
    append(engine, entry("b"))
    with UnitOfWork(engine) as other:
        other.connection.execute(select(TABLES.seal_head).with_for_update())
        assert sealer.run_once() == 0
    assert sealer.run_once() == 1


def test_a_sealer_that_dies_before_its_commit_has_sealed_nothing(engine: Engine, sealer: Sealer) -> None:
    def die(point: str) -> None:
        if point == BEFORE_COMMIT:
            raise KeyboardInterrupt

    append(engine, entry("a"))
    with pytest.raises(KeyboardInterrupt):
        Sealer(lambda: UnitOfWork(engine, die), TABLES).run_once()
    assert numbers(engine) == [("POSTED", None)]
    assert sealer.run_once() == 1
    assert verify(engine) == Verification(1, 1, ())


def change_an_action(connection: Connection) -> None:
    connection.execute(update(ENTRY).where(ENTRY.c.subject_seq == 2).values(action="APPROVED"))


def change_an_instant(connection: Connection) -> None:
    connection.execute(update(ENTRY).where(ENTRY.c.subject_seq == 2).values(at=NOW + timedelta(microseconds=1)))


def change_a_reason(connection: Connection) -> None:
    connection.execute(update(ENTRY).where(ENTRY.c.subject_seq == 1).values(reason="another"))


def remove_from_the_middle(connection: Connection) -> None:
    connection.execute(delete(ENTRY).where(ENTRY.c.subject_seq == 2))


def remove_the_newest(connection: Connection) -> None:
    connection.execute(delete(ENTRY).where(ENTRY.c.sealed_number == 6))


def remove_a_whole_subject(connection: Connection) -> None:
    connection.execute(delete(ENTRY).where(ENTRY.c.subject == "a"))


def change_an_entry_and_its_hash(connection: Connection) -> None:
    connection.execute(
        update(ENTRY).where(ENTRY.c.subject == "b", ENTRY.c.subject_seq == 3).values(action="GONE", hash=b"x" * 32)
    )


def swap_two_seals(connection: Connection) -> None:
    connection.execute(text("UPDATE audit_entry SET sealed_number = 99 WHERE sealed_number = 2"))
    connection.execute(text("UPDATE audit_entry SET sealed_number = 2 WHERE sealed_number = 5"))
    connection.execute(text("UPDATE audit_entry SET sealed_number = 5 WHERE sealed_number = 99"))


def shorten_the_head(connection: Connection) -> None:
    connection.execute(update(TABLES.seal_head).values(audit_number=5))


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (change_an_action, "a: entry 2 was changed"),
        (change_an_instant, "a: entry 2 was changed"),
        (change_a_reason, "a: entry 1 was changed"),
        (remove_from_the_middle, "a: entry 3 does not follow on entry 1"),
        (remove_the_newest, "the chain ends at seal 5, its head says 6"),
        (remove_a_whole_subject, "seal 1 is missing"),
        (change_an_entry_and_its_hash, "b: entry 3 was changed"),
        (change_an_entry_and_its_hash, "seal 6 does not fit its entry"),
        (swap_two_seals, "seal 2 does not fit its entry"),
        (shorten_the_head, "the chain ends at seal 6, its head says 5"),
    ],
)
def test_every_later_change_is_found(
    engine: Engine, sealer: Sealer, tamper: Callable[[Connection], None], fault: str
) -> None:
    for subject in ("a", "b"):
        append(engine, *(entry(subject, action) for action in ("RECORDED", "VALIDATED", "POSTED")))
    sealer.run_once()
    assert verify(engine) == Verification(6, 6, ())
    with engine.begin() as connection:
        tamper(connection)
    assert fault in verify(engine).faults


def test_fields_can_not_be_shifted_across_their_borders(engine: Engine) -> None:
    """The same bytes in other columns: the reason's first line passes for its length, the length for the digest."""
    append(engine, AuditEntry("a", "POSTED", "worker", NOW, "0" * 32, "3\nabc\n{}", content_digest="d"))
    assert verify(engine).faults == ()
    with engine.begin() as connection:
        connection.execute(update(ENTRY).values(content_digest="d\n8", reason="abc", detail="{}\n{}"))
    assert verify(engine).faults == ("a: entry 1 was changed",)


def test_the_head_is_what_an_outside_witness_keeps(engine: Engine, sealer: Sealer) -> None:
    append(engine, entry("a"))
    sealer.run_once()
    with reading(engine) as connection:
        head = AuditLog(connection, TABLES).head()
    assert (head.number, len(head.hash)) == (1, 32)


def test_totals_are_the_same_before_and_after_they_are_folded(engine: Engine, sealer: Sealer) -> None:
    first, second = one_event("events/1", 1050), one_event("events/2", -50)
    other = TotalKey("file/camt", "ACME", "JPY", date(2026, 11, 23), "pending")
    for changes in ([(KEY, first), (other, second)], [(KEY, second)], [(other, -second), (other, first)]):
        with UnitOfWork(engine) as uow:
            Totals(uow.connection, TABLES).add(changes)
            uow.commit()
    expected = {KEY: first + second, other: first}
    for _ in range(3):
        with reading(engine) as connection:
            totals = Totals(connection, TABLES)
            assert totals.read() == expected
            assert totals.read(company="ACME") == {
                key: total for key, total in expected.items() if key.company == "ACME"
            }
            assert totals.read(company="another") == {}
        sealer.run_once()
    with reading(engine) as connection:
        assert connection.execute(select(TABLES.total_delta)).all() == []
        assert len(connection.execute(select(TABLES.total)).all()) == 2


def test_the_set_of_names_does_not_depend_on_order_and_notices_a_swap() -> None:
    names = [one_event(f"events/{number}", 100) for number in range(4)]
    assert sum(names, Total()) == sum(reversed(names), Total())
    assert sum(names, Total()) + -names[1] == names[0] + names[2] + names[3]
    assert names[0] + names[1] != names[0] + names[2]


def test_a_sum_beyond_64_bits_stops_no_neighbour(engine: Engine, sealer: Sealer) -> None:
    changes = [one_event("events/1", 2**63 - 1), one_event("events/2", 100), one_event("events/3", 200)]
    for change in changes:
        with UnitOfWork(engine) as uow:
            Totals(uow.connection, TABLES).add([(KEY, change)])
            uow.commit()
    with UnitOfWork(engine) as uow:
        Totals(uow.connection, TABLES).add([(KEY, change) for change in changes])
        uow.commit()
    sealer.run_once()
    with UnitOfWork(engine) as uow:
        Totals(uow.connection, TABLES).add([(KEY, -changes[0]), (KEY, -changes[0])])
        assert Totals(uow.connection, TABLES).read()[KEY].minor_units == 600  # the others', as if it never came


def test_a_change_that_cancels_itself_leaves_no_row(engine: Engine) -> None:
    one = one_event("events/1", 5)
    with UnitOfWork(engine) as uow:
        Totals(uow.connection, TABLES).add([(KEY, one), (KEY, -one)])
        assert uow.connection.execute(select(TABLES.total_delta)).all() == []


def test_a_sealer_without_the_lock_on_the_head_is_caught(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: two sealers that start from the same head. The unique number stops the second one."""
    stale = sealing._Head(0, GENESIS, 0, GENESIS)
    append(engine, entry("a"))
    Sealer(lambda: UnitOfWork(engine), TABLES).run_once()
    append(engine, entry("b"))
    mutant = Sealer(lambda: UnitOfWork(engine), TABLES)
    monkeypatch.setattr(mutant, "_take_head", lambda connection: stale)
    with pytest.raises(StorageConflict):
        mutant.run_once()
