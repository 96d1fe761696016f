"""Recon in one thread on a clock that is moved by hand, with a ledger that posts what it is told at once."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BytesIO

from sqlalchemy import Engine

from libs.errors import ConcordError, Kind
from libs.events import (
    BalanceTransaction,
    BankLine,
    Channel,
    CommercialDocument,
    Digest,
    Direction,
    DocumentKind,
    DocumentTotals,
    EffectKey,
    Event,
    EventKind,
    Party,
    Provenance,
    Reference,
    ReferenceKind,
    Settlement,
    SettlementLine,
    TransactionIds,
    event_name,
)
from libs.handover import NotRecorded, Recorded
from libs.money import Money
from libs.service.work import Unobserved, WorkContext
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from libs.telemetry.trace import Tracer
from services.recon.assembly import Recon, build_recon
from services.recon.domain.difference import Difference
from services.recon.domain.files import ImportedFile, IncomingFile
from services.recon.domain.learning import LedgerPosting, RoleAmount
from services.recon.domain.match import Match, MatchType
from services.recon.domain.settings import Settings
from services.recon.handlers.ports import (
    AppliedState,
    LedgerAnswer,
    LedgerChange,
)
from tests.formats import camt_files
from tests.storage.stored import stored

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
STRIPE = "stripe/acct_1"
BANK_ACCOUNT = "DE89370400440532013000"
PLENTY = 60
_CLOSES = {MatchType.PAYOUT_TRANSACTIONS: "CLR", MatchType.BANK_PAYOUT: "TRN", MatchType.BANK_INVOICE: "AR"}


class Crash(BaseException):
    """The process ends here."""


class Down(ConcordError):
    kind = Kind.RETRY
    reason = "SERVICE_UNAVAILABLE"


class FakeLedger:
    """Posts each event at once, by the plainest rules; tells each change; closes what a match joins."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.postings: dict[str, LedgerPosting] = {}
        self.changes: list[LedgerPosting] = []
        self.applied: dict[str, Match] = {}
        self.calls = 0
        self.fail_before: list[ConcordError] = []  # nothing happens
        self.fail_after: list[ConcordError] = []  # the reply is lost
        self.refuse: dict[str, str] = {}  # event name → reason
        self.exceptions: dict[MatchType, str] = {}  # type of match → reason
        self.pending = 0  # so many answers to come before a match is written
        self.posts = True

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        self.calls += 1
        if self.fail_before:
            raise self.fail_before.pop(0)
        answers = [self._one(event) for event in events]
        if self.fail_after:
            raise self.fail_after.pop(0)
        return answers

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        start = int(token or "0")
        found = self.changes[start : start + limit]
        return [LedgerChange(one, str(start + index)) for index, one in enumerate(found, start=1)]

    def apply_match(self, match: Match) -> LedgerAnswer:
        if self.fail_before:
            raise self.fail_before.pop(0)
        known = self.applied.setdefault(match.name, match)
        assert (known.anchor, known.members) == (match.anchor, match.members), "a repeat says the same"
        if match.type in self.exceptions:
            return LedgerAnswer(AppliedState.EXCEPTION, self.exceptions[match.type])
        if self.pending:
            self.pending -= 1
            return LedgerAnswer(AppliedState.PENDING)
        role = _CLOSES[match.type]
        for side in match.members:
            self.close(side.posting, side.role)
        self.close(match.anchor.posting, "CLR" if role == "CLR" else "SUS")
        return LedgerAnswer(AppliedState.WRITTEN, written_at=NOW)

    def close(self, key: str, role: str) -> None:
        one = self.postings[key]
        roles = one.open_roles - {role}
        if roles != one.open_roles:
            state = "partial" if roles else "full"
            self._tell(replace(one, open_roles=roles, reconciliation=state, version=one.version + 1))

    def post(self, event: Event) -> None:
        """One posting an effect, as ACCOUNTING has them."""
        body, amount = event.body, event.amount
        if isinstance(body, BankLine):
            self._post(event, str(body.occurrence), "statement_line", [("BNK", amount), ("SUS", -amount)])
        elif isinstance(body, CommercialDocument):
            if body.direction is Direction.PURCHASE:
                self._post(event, "bill", "supplier_bill", [("AP", -amount), ("EXP", amount)])
            else:
                self._post(event, "invoice", "customer_invoice", [("AR", amount), ("REV", -amount)])
        elif isinstance(body, BalanceTransaction):
            counter = {"payout": "TRN", "payout_returned": "TRN", "capture": "AR", "refund": "AR"}.get(
                event.kind.value, "UNX"
            )
            self._post(event, "gross", "entry", [("CLR", body.gross), (counter, -body.gross)])
            if body.fee:
                self._post(event, "fee", "entry", [("FEE", body.fee), ("CLR", -body.fee)])

    def _post(self, event: Event, effect: str, kind: str, lines: list[tuple[str, Money]]) -> None:
        key = str(EffectKey.of(event, effect))
        number = f"INV/2026/{event.object_id:>05}" if effect == "invoice" else ""
        posting = LedgerPosting(
            key=key,
            company=event.company,
            transaction_id=event.transaction_id,
            state="posted",
            version=3,
            open_roles=frozenset(role for role, _ in lines) & {"AR", "AP", "CLR", "TRN", "SUS", "UNX"},
            reconciliation="none",
            document_type=kind,
            day=event.effective_at.date(),
            lines=tuple(RoleAmount(role, money) for role, money in lines),
            odoo_number=number,
            event=event,
        )
        # An earlier state is told as well, and means nothing to recon.
        self.changes.append(replace(posting, state="ready", version=1, open_roles=frozenset(), odoo_number=""))
        self._tell(posting)

    def _tell(self, posting: LedgerPosting) -> None:
        self.postings[posting.key] = posting
        self.changes.append(posting)

    def _one(self, event: Event) -> Recorded | NotRecorded:
        if event.name in self.refuse:
            return NotRecorded(self.refuse[event.name], retry=False)
        known = self.events.get(event.name)
        if known is None:
            self.events[event.name] = event
            if self.posts:
                self.post(event)
            return Recorded(event.transaction_id, duplicate=False)
        if Digest.of(known) != Digest.of(event):
            return NotRecorded("EVENT_CONFLICT", retry=False)
        return Recorded(known.transaction_id, duplicate=True)


class _Retries(Unobserved):
    def __init__(self, retried: list[tuple[str, str, str]]) -> None:
        self._retried = retried

    def retried(self, company: str, interface: str, reason: str) -> None:
        self._retried.append((company, interface, reason))


class World:
    """One recon. What a test does to it stands in one line."""

    def __init__(
        self, engine: Engine, *, evidence_wait_seconds: float = 0.0, seed: int = 3, tracer: Tracer | None = None
    ) -> None:
        self.now = NOW
        self.engine = engine
        self.tracer = tracer or Tracer()
        self.points = 0  # commits so far, before and after each
        self.crash_at = 0
        self.retried: list[tuple[str, str, str]] = []  # company, interface, reason
        self.ledger = FakeLedger()
        self.rng = random.Random(seed)
        self.ids = TransactionIds(self.clock, self.rng)
        self.settings = Settings(companies=("acme",), evidence_wait_seconds=evidence_wait_seconds)
        self.recon = self.started()

    def clock(self) -> datetime:
        return self.now

    def started(self) -> Recon:
        """The process, from its database alone."""
        return build_recon(
            self.engine,
            self.ledger,
            WorkContext(self.clock, self.ids, self.rng, self.tracer, "recon-1", _Retries(self.retried)),
            self.settings,
            observe=self._observe,
        )

    def _observe(self, point: str) -> None:
        self.points += 1
        if self.points == self.crash_at:
            raise Crash(point)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def file(self, content: bytes, interface: str = f"bank/{BANK_ACCOUNT}", sha256: str = "") -> IncomingFile:
        return IncomingFile(
            company="acme",
            interface=interface,
            delivery=f"sources/{interface.replace('/', '/accounts/')}/deliveries/d1",
            file_name="file",
            sha256=sha256 or hashlib.sha256(content).hexdigest(),
            received_at=self.now,
            transaction_id=self.ids(),
        )

    def statement(self, content: bytes, sha256: str = "") -> ImportedFile:
        return self.recon.import_statement(self.file(content, sha256=sha256), _chunks(content))

    def statement_for(self, company: str, content: bytes) -> ImportedFile:
        return self.recon.import_statement(replace(self.file(content), company=company), _chunks(content))

    def report(self, content: bytes) -> ImportedFile:
        return self.recon.import_settlement_file(self.file(content, STRIPE), _chunks(content))

    def bank_line(self, text: str, words: str = "", day: str = "2026-03-16") -> str:
        """A statement of one line; the key of its posting, once the workers ran."""
        content = camt_files.document(line_entry(text, words, day), head=f"<Id>{self.ids()}</Id>{camt_files.ACCOUNT}")
        before = {*self.ledger.events}
        self.statement(content)
        self.run("record")
        (name,) = {*self.ledger.events} - before
        return posting_key(self.ledger.events[name])

    def told(self, event: Event) -> str:
        """An event that came to the ledger by another way; the key of its gross."""
        self.ledger.record([event])
        return posting_key(event)

    def run(self, *names: str) -> None:
        """Turns of all workers (or those named) until none has work."""
        workers = self.recon.workers()
        for _ in range(PLENTY):
            if not sum(workers[name]() for name in names or workers):
                return
        raise AssertionError("the workers do not come to rest")

    def matches(self) -> list[Match]:
        with self.recon.new_uow(read_only=True) as uow:
            return uow.matches.page("acme", "", 1000, None).items

    def differences(self, *, live: bool = True) -> list[Difference]:
        with self.recon.new_uow(read_only=True) as uow:
            return uow.differences.live("acme") if live else uow.differences.page("acme", None, 1000, None).items

    def count(self, table: str) -> int:
        return len(stored(self.engine, table))


def _chunks(content: bytes) -> list[bytes]:
    source = BytesIO(content)
    return list(iter(lambda: source.read(700), b""))


def line_entry(text: str, words: str = "", day: str = "2026-03-16", servicer: str = "") -> str:
    """A booked entry of a day with remittance information."""
    remittance = f"<RmtInf><Ustrd>{words}</Ustrd></RmtInf>" if words else ""
    more = f"<AcctSvcrRef>{servicer}</AcctSvcrRef>" if servicer else ""
    entry = camt_files.entry(text, camt_files.detail(text, remittance), more=more)
    return entry.replace("2026-01-31", day)


def keys_of(match: Match) -> tuple[str, tuple[str, ...]]:
    """The postings of anchor and members."""
    return match.anchor.posting, tuple(side.posting for side in match.members)


def posting_key(event: Event) -> str:
    effect = "gross"
    if isinstance(event.body, BankLine):
        effect = str(event.body.occurrence)
    elif isinstance(event.body, CommercialDocument):
        effect = "bill" if event.body.direction is Direction.PURCHASE else "invoice"
    return str(EffectKey.of(event, effect))


def money_event(
    world: World, object_id: str, gross: int, fee: int = 0, kind: str = "capture", source: str = ""
) -> Event:
    """A Stripe balance transaction in EUR."""
    body = BalanceTransaction(
        gross=Money("EUR", gross),
        fee=Money("EUR", fee),
        presentment=None,
        available_on=date(2026, 3, 16),
        provider_type=kind,
        source_id=source or f"src_{object_id}",
    )
    return Event(
        name=event_name("stripe", "acct_1", object_id),
        kind=EventKind(kind),
        company="acme",
        object_id=object_id,
        effective_at=datetime(2026, 3, 14, 10, tzinfo=UTC),
        amount=body.gross,
        body=body,
        provenance=provenance("stripe", object_id),
        transaction_id=world.ids(),
    )


def order_event(world: World, number: str, total: int, day: date = date(2026, 3, 10)) -> Event:
    amount = Money("EUR", total)
    return Event(
        name=event_name("shopify", "shop", f"order-{number}-paid"),
        kind=EventKind.DOCUMENT,
        company="acme",
        object_id=number,
        effective_at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        amount=amount,
        body=CommercialDocument.sold(number, Party("", "shopify/shop"), (), amount, Money.zero("EUR")),
        provenance=provenance("shopify", number),
        transaction_id=world.ids(),
        references=(Reference(ReferenceKind.ORDER, number),),
    )


def bill_event(world: World, number: str, total: int, supplier: str = "Paper Mill Ltd", object_id: str = "b1") -> Event:
    amount, zero = Money("EUR", total), Money.zero("EUR")
    seller = Party("v-1", "erp/main", supplier)
    totals = DocumentTotals(amount, zero)
    body = CommercialDocument(DocumentKind.INVOICE, Direction.PURCHASE, number, (), totals, seller=seller)
    event = order_event(world, object_id, total, date(2026, 3, 16))
    return replace(event, name=event_name("erp", "main", object_id), body=body, provenance=provenance("erp", object_id))


def provenance(system: str, source_id: str) -> Provenance:
    return Provenance(system, "a", "object", source_id, NOW, Channel.POLL)


def payout_of(world: World, payout: str, *lines: tuple[str, int, int], references: tuple[str, ...] = ()) -> Settlement:
    """Tell the ledger of the payout and its captures; the settlement that joins them, not yet imported."""
    events = [money_event(world, name, gross, fee) for name, gross, fee in lines]
    amount = sum(gross - fee for _, gross, fee in lines)
    events.append(money_event(world, f"txn_{payout}", -amount, kind="payout", source=payout))
    world.ledger.record(events)
    return settlement(payout, *lines, references=references)


def settlement(
    payout: str, *lines: tuple[str, int, int], amount: int | None = None, references: tuple[str, ...] = ()
) -> Settlement:
    def eur(units: int) -> Money:
        return Money("EUR", units)

    paid = sum(gross - fee for _, gross, fee in lines) if amount is None else amount
    return Settlement(
        company="acme",
        interface=STRIPE,
        payout_id=payout,
        payout_transaction=f"txn_{payout}",
        amount=eur(paid),
        arrival_date=date(2026, 3, 16),
        lines=tuple(SettlementLine(name, eur(gross), eur(fee), eur(gross - fee)) for name, gross, fee in lines),
        bank_references=references,
    )


@cache
def template() -> Engine:
    engine = open_engine("sqlite://", "recon")
    upgrade(engine, "services.recon")
    return engine
