"""A statement's booked lines as canonical events."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.events import BankLine, Channel, Event, EventKind, IdSource, Provenance, Reference, ReferenceKind, event_name
from libs.formats.errors import StatementDateInvalid
from libs.formats.statement import PLACEHOLDERS, StatementHeader, StatementLine, fingerprint
from libs.money import Money

from ...domain.files import IncomingFile
from .bank_words import notes_of, remittance_of, written

PROVIDER = "bank"
TRANSLATOR = "camt/1"
REFERENCE_CHARACTERS = 255
REFERENCES_AT_MOST = 90
TEXT_CHARACTERS = 2000
_KEPT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


class Occurrences:
    """Counts the same lines of one account through the statements of one file.

    Each statement counts from 1, so that what comes again is known. Only where the balances prove that a statement
    follows on the one before it does the count go on: then no line of it can be one of the other's.
    """

    def __init__(self) -> None:
        self._header: StatementHeader | None = None
        self._seen: dict[str, int] = {}
        self._carried: dict[str, int] = {}
        self._signs: set[bool] = set()
        self._openings: set[Money | None] = set()

    def begin(self, header: StatementHeader) -> None:
        """The account's next statement."""
        follows = self._header is not None and _adjoin(self._header, header)
        if not follows or header.opening in self._openings:  # a balance that was there before proves nothing
            self._seen.clear()
            self._openings.clear()
        self._openings.add(header.opening)
        self._header, self._carried, self._signs = header, dict(self._seen), set()

    def next(self, mark: str, line: StatementLine) -> int:
        """Which of the same lines this is, from 1. The bank's own reference proves a line the same by itself."""
        if is_named_by_bank(line):
            mark = f"{self._header.index if self._header else 0} {mark}"
        if mark in self._carried:
            self._signs.add(line.amount.minor_units > 0)
        occurrence = self._seen[mark] = self._seen.get(mark, 0) + 1
        return occurrence

    def before(self, mark: str) -> int:
        """How many of the same lines stand in the statements that this one follows on."""
        return self._carried.get(mark, 0)

    @property
    def may_overlap(self) -> bool:
        """Lines that may add up to zero were counted on: the balances would be the same if they came again."""
        return len(self._signs) > 1


class LineTranslator:
    """Makes the events of one statement: the k-th same line is occurrence k, however the statement overlaps others."""

    def __init__(self, file: IncomingFile, header: StatementHeader, ids: IdSource, occurrences: Occurrences) -> None:
        self._file = file
        self._header = header
        self._ids = ids
        self._account = header.account.identification
        self._occurrences = occurrences
        occurrences.begin(header)

    def event(self, line: StatementLine) -> Event:
        """Raises `StatementDateInvalid` for a line that bears no date at all."""
        day = line.effective_date
        if day is None:
            raise StatementDateInvalid("a booked entry without booking and value date", f"entry {line.sequence}")
        mark = fingerprint(self._account, line)
        occurrence = self._occurrences.next(mark, line)
        only = line.details[0] if len(line.details) == 1 else None
        party = only.counterparty if only else None
        return Event(
            name=event_name(PROVIDER, account_segment(self._account), f"{mark}-{occurrence}"),
            kind=EventKind.BANK_LINE,
            company=self._file.company,
            object_id=mark,
            effective_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
            amount=line.amount,
            body=BankLine(
                bank_account=self._account,
                statement_id=_clean(self._header.statement_id),
                fingerprint=mark,
                occurrence=occurrence,
                booking_date=day,
                value_date=line.value_date,
                counterparty_name=_clean(party.name or party.ultimate_name or "") if party else "",
                counterparty_account=_clean(party.account if party and party.account else ""),
                remittance=_clean(remittance_of(line), TEXT_CHARACTERS),
                bank_code=_clean(line.code.text),
                notes=_clean(notes_of(line), TEXT_CHARACTERS),
            ),
            provenance=self._provenance(line),
            transaction_id=self._ids(),
            references=_references(line),
        )

    def _provenance(self, line: StatementLine) -> Provenance:
        return Provenance(
            source_system=PROVIDER,
            source_account=self._account,
            source_object_type=f"{self._header.format} Ntry",
            source_id=_clean(f"{self._header.statement_id}/{line.sequence}"),
            received_at=self._file.received_at,
            channel=Channel.FILE,
            delivery=self._file.delivery,
            raw_sha256=self._file.sha256,
            translator=TRANSLATOR,
        )


def account_segment(account: str) -> str:
    """The account's number as a part of a resource name: an IBAN is itself, another character `~` and its hex."""
    text = "".join(name if name in _KEPT else "".join(f"~{byte:02x}" for byte in name.encode()) for name in account)
    return (text if text[:1].isalnum() else f"x~{text}")[:120]


def _adjoin(header: StatementHeader, other: StatementHeader) -> bool:
    """Whether one begins with the balance that the other ends with. Where nothing moved, a copy would look the same."""
    balances = (header.opening, header.closing, other.opening, other.closing)
    if None in balances or header.opening == header.closing or other.opening == other.closing:
        return False
    return header.closing == other.opening or other.closing == header.opening


def is_named_by_bank(line: StatementLine) -> bool:
    """Whether the account's servicer gave it a reference of its own."""
    own = line.account_servicer_reference
    return bool(own) and str(own).upper() not in PLACEHOLDERS


def _references(line: StatementLine) -> tuple[Reference, ...]:
    """The servicer's own, the payer's end-to-end ids, and what the remittance names."""
    found = [(ReferenceKind.SERVICER, line.account_servicer_reference or "")]
    for detail in line.details:
        given = detail.references
        if given.account_servicer_reference:
            found.append((ReferenceKind.SERVICER, given.account_servicer_reference))
        found += [(ReferenceKind.END_TO_END, text) for text in _meant(given.end_to_end_id, given.uetr)]
        found += [(ReferenceKind.REMITTANCE, text) for text in detail.creditor_references]
        found += [(ReferenceKind.REMITTANCE, document.number) for document in detail.documents]
        found += [(ReferenceKind.REMITTANCE, text) for text in written(detail)]
    cleaned = ((kind, _clean(text, REFERENCE_CHARACTERS)) for kind, text in found)
    unique = dict.fromkeys(Reference(kind, text) for kind, text in cleaned if text)
    return tuple(unique)[:REFERENCES_AT_MOST]


def _meant(*texts: str | None) -> list[str]:
    return [text for text in texts if text and text.upper() not in ("NOTPROVIDED", "NOT PROVIDED", "NONREF")]


def _clean(text: str, characters: int = REFERENCE_CHARACTERS) -> str:
    """One printable line."""
    if not text:
        return ""
    printable = text if text.isprintable() else "".join(name if name.isprintable() else " " for name in text)
    return " ".join(printable.split())[:characters].strip()
