"""Statement files: whole or not at all, each line once, however files overlap."""

from __future__ import annotations

import pytest

from libs.errors import ConcordError
from libs.formats.errors import FormatError
from libs.handover import OutboundEvent
from libs.money import Money
from libs.storage.revisions import check
from services.recon.domain.difference import Difference, DifferenceState
from services.recon.domain.doubts import DOUBTS_AT_MOST
from services.recon.domain.errors import FileChanged, FileKindUnsupported
from services.recon.domain.files import FileFinding
from services.recon.handlers.explain import explain
from services.recon.storage.rows import metadata
from tests.formats import camt_files
from tests.formats.camt_files import ACCOUNT, balance, detail, document
from tests.formats.samples import naive_totals, samples_folder
from tests.recon.world import World, line_entry
from tests.storage.fixtures import EngineFor

TWO = (line_entry("10.00", "order 1001"), line_entry("-4.00", "rent 2026-03"))


def test_the_migrations_make_the_declared_tables(engine_for: EngineFor) -> None:
    assert check(engine_for("services.recon"), metadata, "services.recon") == []


def test_each_booked_line_becomes_an_event_with_a_transaction_of_its_own(world: World) -> None:
    answer = world.statement(
        document(balance("OPBD", "1.00"), balance("CLBD", "7.00"), *TWO, line_entry("9.00").replace("BOOK", "PDNG"))
    )
    world.run("record")
    events = list(world.ledger.events.values())
    assert answer.lines == 2
    assert sorted(event.amount.minor_units for event in events) == [-400, 1000]
    assert len({event.transaction_id for event in events}) == 2
    assert all(
        event.name == f"sources/bank/accounts/DE89370400440532013000/events/{event.object_id}-1" for event in events
    )
    with world.recon.new_uow(read_only=True) as uow:
        (statement,) = [uow.statements.get(name) for name in answer.statements]
    assert (statement.opening, statement.closing, statement.ties) == (statement.opening, statement.closing, True)
    assert statement.lines == 2


def test_the_same_bytes_get_the_first_answer(world: World) -> None:
    content = document(*TWO)
    first = world.statement(content)
    again = world.statement(content)
    assert (again.statements, again.lines, again.duplicate) == (first.statements, 2, True)
    assert world.count("outbound_event") == 2
    assert world.count("statement_line") == 2


@pytest.mark.parametrize(
    ("lines", "events", "known"),
    [
        (TWO, 2, 2),  # the whole statement again, in another file
        ((*TWO, line_entry("10.00", "order 1001")), 3, 2),  # a second equal line is another fact
        ((TWO[0], line_entry("8.00", "order 1002")), 3, 1),
        ((line_entry("10.00", "order 1002"),), 3, 0),  # the same amount on the same day, for something else
        ((line_entry("10.00", "order 1001", servicer="R-1"),), 3, 0),  # the bank says it is another one
    ],
)
def test_lines_of_overlapping_statements_are_known_by_fingerprint_and_occurrence(
    world: World, lines: tuple[str, ...], events: int, known: int
) -> None:
    world.statement(document(*TWO))
    answer = world.statement(document(*lines, head="<Id>S2</Id>" + ACCOUNT))
    assert world.count("outbound_event") == events
    found = [finding.message for finding in answer.findings if finding.reason == "LINES_KNOWN"]
    assert found == ([f"{known} of {len(lines)} lines are known from another statement"] if known else [])


def test_equal_lines_of_one_statement_are_told_apart_by_their_occurrence(world: World) -> None:
    world.statement(document(TWO[0], TWO[0]))
    world.run("record")
    assert sorted(name[-1] for name in world.ledger.events) == ["1", "2"]
    assert len({event.object_id for event in world.ledger.events.values()}) == 1


def test_bytes_that_are_not_those_of_the_digest_change_nothing(world: World) -> None:
    with pytest.raises(FileChanged):
        world.statement(document(*TWO), sha256="0" * 64)
    assert world.count("imported_file") == world.count("outbound_event") == 0


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_refused_and_changes_nothing(world: World, cut: float) -> None:
    content = document(*TWO, *TWO)
    with pytest.raises(FormatError):
        world.statement(content[: int(len(content) * cut)])
    assert [world.count(table) for table in ("imported_file", "statement", "statement_line", "outbound_event")] == [
        0
    ] * 4
    assert world.statement(content).lines == 4  # the refused one does not stand in the way


def test_a_notification_is_not_a_statement(world: World) -> None:
    content = (
        document(*TWO)
        .replace(b"camt.053", b"camt.054")
        .replace(b"Stmt>", b"Ntfctn>")
        .replace(b"BkToCstmrNtfctn>", b"BkToCstmrDbtCdtNtfctn>")
    )
    with pytest.raises(FileKindUnsupported):
        world.statement(content)


def test_balances_that_do_not_tie_are_reported_and_not_repaired(world: World) -> None:
    answer = world.statement(document(balance("OPBD", "1.00"), balance("CLBD", "9.00"), *TWO))
    with world.recon.new_uow(read_only=True) as uow:
        statement = uow.statements.get(answer.statements[0])
    assert statement.ties is False
    assert statement.closing is not None
    assert statement.closing.minor_units == 900
    assert "BALANCES_DO_NOT_TIE" in {finding.reason for finding in answer.findings}


def test_a_statement_that_contradicts_itself_is_a_difference_until_a_corrected_one_comes(world: World) -> None:
    answer = world.statement(document(balance("OPBD", "1.00"), balance("CLBD", "9.00"), *TWO))
    world.run()
    (found,) = [one for one in world.differences() if one.reason == "STATEMENT_DOES_NOT_TIE"]
    assert (found.subject, found.amount) == (answer.statements[0], Money("EUR", 200))
    (trial,) = explain("acme", "differences", found.name.rpartition("/")[2], world.recon.new_uow).trials
    assert [(one.left, one.right, one.held) for one in trial.predicates] == [("7.00 EUR", "9.00 EUR", False)]
    world.pass_time(60)
    world.statement(document(balance("OPBD", "1.00"), balance("CLBD", "7.00"), *TWO))
    world.run()
    assert {one.reason for one in world.differences()} == {"NO_CANDIDATE"}


@pytest.mark.parametrize(
    ("lines", "head", "changed"),
    [
        ((TWO[0], line_entry("-5.00", "rent 2026-03")), "<Id>S1</Id>", 1),
        ((*TWO, line_entry("3.00", "late")), "<Id>S1</Id>", 0),  # more lines take nothing back
        ((TWO[0],), "<Id>S2</Id>", 0),
        ((line_entry("8.00", "next year's first"),), "<Id>S1</Id>", 0),  # the number again, of other lines
    ],
)
def test_a_corrected_statement_tells_which_lines_it_has_no_more(
    world: World, lines: tuple[str, ...], head: str, changed: int
) -> None:
    world.statement(document(*TWO))
    answer = world.statement(document(*lines, head=head + ACCOUNT))
    found = [finding for finding in answer.findings if finding.reason == "STATEMENT_CHANGED"]
    message = f"{changed} lines of this statement as it came before are not in it, but in the books"
    assert found == ([FileFinding("STATEMENT_CHANGED", message, "S1")] if changed else [])


def test_what_the_ledger_refused_is_tried_again_when_the_file_comes_again(world: World) -> None:
    content = document(TWO[0])
    world.statement(content)
    (name,) = [one.event.name for one in _outbound(world)]
    world.ledger.refuse[name] = "EVENT_INVALID"
    world.run()
    assert [one.reason for one in world.differences()] == ["EVENT_NOT_RECORDED"]
    world.ledger.refuse.clear()
    world.statement(content)
    world.run()
    assert name in world.ledger.events
    assert [one.reason for one in world.differences()] == ["NO_CANDIDATE"]


def test_every_camt_sample_is_imported_or_refused_with_a_reason(world: World) -> None:
    folder = samples_folder("bank", "camt")
    imported = refused = 0
    for path in sorted(one for one in folder.rglob("*") if one.suffix in (".xml", ".camt")):
        before = world.count("statement_line")
        try:
            answer = world.statement(path.read_bytes())
        except ConcordError as error:
            assert error.reason != "UNSPECIFIED", path  # noqa: PT017
            assert world.count("statement_line") == before, path
            refused += 1
            continue
        imported += 1
        if not answer.duplicate:
            assert answer.lines == sum(int(str(one["entries"])) for one in naive_totals(path)), path
            assert world.count("statement_line") == before + answer.lines, path
    assert imported > 10
    world.run("record")
    assert len(world.ledger.events) == world.count("outbound_event")


def _outbound(world: World) -> list[OutboundEvent]:
    with world.recon.new_uow() as uow:
        return uow.events.claim(limit=10, owner="look", now=world.now, lease_seconds=1)


def _statements(*texts: str) -> bytes:
    """A message of several statements."""
    body = "".join(f"<Stmt>{text}</Stmt>" for text in texts)
    head = document().partition(b"<Stmt>")[0]
    return head + f"{body}</BkToCstmrStmt></Document>".encode()


def _stated(name: str, opening: str, closing: str, *lines: str) -> str:
    head = f"<Id>{name}</Id>{ACCOUNT}"
    return "".join((head, balance("OPBD", opening), balance("CLBD", closing), *lines))


PLAIN = line_entry("10.00")  # without reference and remittance
FOLLOWING = (_stated("S1", "100.00", "110.00", PLAIN), _stated("S2", "110.00", "120.00", PLAIN))


@pytest.mark.parametrize(
    ("statements", "events"),
    [
        (FOLLOWING, 2),
        (FOLLOWING[::-1], 2),  # the newest first
        ((*FOLLOWING, _stated("S3", "120.00", "130.00", PLAIN)), 3),
        ((FOLLOWING[0], _stated("S2", "100.00", "113.00", PLAIN, line_entry("3.00"))), 2),  # an overlap tells it again
        ((_stated("S1", "1.00", "1.00", PLAIN, line_entry("-10.00")),) * 2, 2),  # nothing moved: nothing is proved
        ((*FOLLOWING, FOLLOWING[0]), 2),
        (("".join(("<Id>S1</Id>", ACCOUNT, PLAIN)), "".join(("<Id>S2</Id>", ACCOUNT, PLAIN))), 1),  # no balances
        (
            (
                _stated("S1", "100.00", "110.00", line_entry("10.00", servicer="R1")),
                _stated("S2", "110.00", "120.00", line_entry("10.00", servicer="R1")),
            ),
            1,  # the bank's own reference says that it is the same
        ),
    ],
)
def test_equal_lines_of_statements_that_follow_on_each_other_are_told_apart(
    world: World, statements: tuple[str, ...], events: int
) -> None:
    world.statement(_statements(*statements))
    assert world.count("outbound_event") == events
    for one in statements:  # each alone
        world.statement(_statements(one))
    world.statement(_statements(*statements).replace(b"M1", b"M2"))
    assert world.count("outbound_event") == events


def test_lines_that_add_up_to_nothing_prove_no_statement_to_follow(world: World) -> None:
    back_and_forth = (PLAIN, line_entry("-10.00"))
    first = _stated("S1", "100.00", "105.00", line_entry("5.00"), *back_and_forth)
    second = _stated("S2", "105.00", "106.00", *back_and_forth, line_entry("1.00"))
    answer = world.statement(_statements(first, second))
    assert [finding.reason for finding in answer.findings] == ["OVERLAP_POSSIBLE"]
    assert world.count("outbound_event") == 6


def _doubts(world: World) -> dict[str, Difference]:
    """Live differences about files, by reason."""
    return {one.reason: one for one in world.differences() if "/doubts/" in one.subject}


@pytest.mark.parametrize(
    ("entry", "reason", "units", "event"),
    [
        (camt_files.entry("20.00", detail("10.00") + detail("7.00")), "DETAILS_DO_NOT_SUM", 300, True),
        (
            camt_files.entry("20.00", "<Btch><TtlAmt Ccy='EUR'>19.00</TtlAmt></Btch>" + detail("20.00")),
            "BATCH_TOTAL_MISMATCH",
            100,
            True,
        ),
        (
            camt_files.entry("20.00", "<Btch><NbOfTxs>2</NbOfTxs></Btch>" + detail("20.00")),
            "BATCH_COUNT_MISMATCH",
            2000,
            True,
        ),
        (camt_files.entry("20.00", status="WHAT"), "STATUS_UNKNOWN", 2000, False),
    ],
)
def test_a_line_that_contradicts_itself_is_a_difference_of_its_own(
    world: World, entry: str, reason: str, units: int, event: bool
) -> None:
    answer = world.statement(document(TWO[0], entry))
    (found,) = world.differences()  # in the import's own commit
    assert (found.state, found.reason, found.owner) == (DifferenceState.OPEN, reason, "finance")
    assert found.subject == f"{answer.statements[0]}/lines/2/doubts/{reason.lower().replace('_', '-')}"
    assert found.amount == Money("EUR", units)
    (trial,) = explain("acme", "differences", found.name.rpartition("/")[2], world.recon.new_uow).trials
    assert (trial.matched, bool(trial.candidate)) == (False, event)
    assert [one.held for one in trial.predicates] == [False]
    world.run()
    assert found in world.differences()  # no worker takes it away
    world.statement(document(TWO[0], entry))
    world.statement(document(TWO[0], entry).replace(b"M1", b"M2"))  # the same statement in other bytes
    world.run()
    assert [one.reason for one in world.differences()].count(reason) == 1


def test_details_are_explained_by_their_sum(world: World) -> None:
    world.statement(document(camt_files.entry("20.00", detail("10.00") + detail("7.00"))))
    (found,) = world.differences()
    (trial,) = explain("acme", "differences", found.name.rpartition("/")[2], world.recon.new_uow).trials
    assert [(one.name, one.left, one.right) for one in trial.predicates] == [
        ("sum_of_details", "20.00 EUR", "17.00 EUR")
    ]


def test_a_known_line_without_a_reference_is_a_difference_unless_its_own_statement_told_it(world: World) -> None:
    first = _stated("S1", "100.00", "110.00", PLAIN)
    world.statement(_statements(first))
    world.statement(_statements(first).replace(b"M1", b"M2"))
    assert _doubts(world) == {}
    answer = world.statement(_statements(_stated("S2", "110.00", "120.00", PLAIN)))
    found = _doubts(world)["LINE_AMBIGUOUS"]
    assert (found.subject.partition("/doubts")[0], found.amount) == (
        f"{answer.statements[0]}/lines/1",
        Money("EUR", 1000),
    )
    assert found.nearest.startswith("sources/bank/accounts/")
    (trial,) = explain("acme", "differences", found.name.rpartition("/")[2], world.recon.new_uow).trials
    assert [(one.name, one.held) for one in trial.predicates] == [("amount", True), ("reference", False)]


def test_statements_that_follow_on_each_other_are_no_doubt_when_they_come_again(world: World) -> None:
    world.statement(_statements(*FOLLOWING))
    for one in FOLLOWING:
        world.statement(_statements(one))
    world.statement(_statements(*FOLLOWING).replace(b"M1", b"M2"))
    assert _doubts(world) == {}
    # One line more than any telling of the statement had is in doubt.
    world.statement(_statements(_stated("S2", "110.00", "130.00", PLAIN, PLAIN)))
    assert list(_doubts(world)) == ["LINE_AMBIGUOUS"]


def test_a_line_told_twice_in_one_file_is_in_doubt_too(world: World) -> None:
    overlap = _stated("S2", "100.00", "113.00", PLAIN, line_entry("3.00"))
    answer = world.statement(_statements(_stated("S1", "100.00", "110.00", PLAIN), overlap))
    assert list(_doubts(world)) == ["LINE_AMBIGUOUS"]
    assert FileFinding("LINES_KNOWN", "1 of 3 lines are known from another statement") in answer.findings


def test_a_statement_that_lost_lines_is_a_difference_until_a_copy_has_them_again(world: World) -> None:
    world.statement(document(*TWO))
    world.statement(document(TWO[0]))
    found = _doubts(world)["STATEMENT_CHANGED"]
    assert found.amount == Money("EUR", 400)
    (trial,) = explain("acme", "differences", found.name.rpartition("/")[2], world.recon.new_uow).trials
    assert [(one.left, one.right) for one in trial.predicates] == [("-4.00 EUR", "not in the statement")]
    world.statement(document(*TWO, line_entry("3.00", "late")))
    assert "STATEMENT_CHANGED" not in _doubts(world)
    with world.recon.new_uow(read_only=True) as uow:
        assert uow.differences.get(found.name).state is DifferenceState.RESOLVED


def test_a_statement_of_another_account_is_a_difference(world: World) -> None:
    content = document(*TWO)
    file = world.file(content, "bank/DE00000000000000000000")
    world.recon.import_statement(file, [content])
    found = _doubts(world)["ACCOUNT_DIFFERS"]
    assert (found.amount, found.transaction_id) == (Money("EUR", 1400), file.transaction_id)


def test_more_doubts_than_people_read_are_one_difference(world: World) -> None:
    odd = camt_files.entry("20.00", detail("10.00") + detail("7.00"))
    world.statement(document(*[odd] * (DOUBTS_AT_MOST + 3)))
    assert len(world.differences()) == DOUBTS_AT_MOST + 1
    assert _doubts(world)["LINES_DOUBTED"].amount == Money("EUR", 900)
