"""Bank lines that lay traps for the matching, and true ones, with the target that each pays.

`python -m tests.recon.traps --lines 50000` plays a year in weekly passes and prints a row for each kind of line.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from libs.money import Money
from services.recon.domain.learning import Item, ItemKind
from services.recon.domain.outcome import Result
from services.recon.domain.targets import bank_items, targets_of
from services.recon.engine import match

FIRST_DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEEKS = 52
UNKNOWN_SHARE = 0.1  # of the credits: the books know nothing of them
Pick = random.Random


@dataclass(frozen=True, slots=True)
class Sale:
    """An invoice of an order, or a payout with its id as `order` and its trace as `number`."""

    item: Item
    order: str
    number: str


Text = Callable[[Pick, Sale], str]


def _spaced(number: str) -> str:
    return number.replace("/", " ")


def _wide(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


def _reference(payload: str, wrong: int = 0) -> str:
    """RF, ISO 11649; `wrong` is added to its check digits."""
    value = int("".join(str(int(character, 36)) for character in payload + "RF00"))
    return f"RF{(98 - value % 97 + wrong - 2) % 97 + 2:02}{payload}"


# What the payer of an invoice writes: each names one target, and only that.
NAMED: dict[str, Text] = {
    "number": lambda _, sale: sale.number,
    "number with words": lambda _, sale: f"Payment of {sale.number}, thank you",
    "dashes": lambda _, sale: sale.number.replace("/", "-"),
    "blanks": lambda _, sale: f"invoice {_spaced(sale.number)} thanks",
    "no separators": lambda _, sale: sale.number.replace("/", "").lower(),
    "zeros dropped": lambda _, sale: "/".join([*sale.number.split("/")[:-1], sale.number.rsplit("/")[-1].lstrip("0")]),
    "prefix dropped": lambda _, sale: f"Rechnung {sale.number.removeprefix('INV/')}",
    "glued word behind": lambda _, sale: f"{sale.number}thanks",
    "glued word before": lambda _, sale: f"payment{sale.number}",
    "full-width": lambda _, sale: _wide(sale.number),
    "cut over lines": lambda pick, sale: f"{sale.number[:10]} {sale.number[10:]}" if pick.random() < 0.5 else f"{sale.number[:12]}\n{sale.number[12:]}",
    "with a date and a time": lambda _, sale: f"{sale.number} 16.03.2026 10:01",
    "with its amount": lambda _, sale: f"{sale.number} {sale.item.amount}",
    "order": lambda _, sale: f"Order {sale.order} thank you",
    "order sign": lambda _, sale: f"#{sale.order}",
    "order no.": lambda _, sale: f"order no. {sale.order}",
    "order glued": lambda _, sale: f"Bestellung{sale.order}danke",
    "order and invoice": lambda _, sale: f"order {sale.order} / {sale.number}",
    "structured": lambda _, sale: _reference(sale.number.replace("/", "")[3:]),
    "order alone": lambda _, sale: sale.order,
}  # fmt: skip
PAYOUTS: dict[str, Text] = {
    "trace": lambda _, sale: f"STRIPE PAYOUT {sale.number}",
    "trace alone": lambda _, sale: sale.number,
    "payout's id": lambda _, sale: f"STRIPE {sale.order}",
}
# Lines of an open invoice's amount and day that somebody else paid.
TRAPS: dict[str, Text] = {
    "same amount": lambda _, __: "thanks",
    "empty": lambda _, __: "",
    "inside a longer number": lambda pick, sale: f"order {sale.order}{pick.randrange(10)}",
    "end of a longer number": lambda pick, sale: f"ref {pick.randrange(1, 10)}{sale.order}",
    "longer invoice number": lambda pick, sale: f"{sale.number}{pick.randrange(10)}",
    "with a suffix": lambda pick, sale: f"{sale.number}/{pick.randrange(2, 9)}",
    "house number": lambda _, sale: f"{sale.order} Main Street",
    "house no": lambda _, sale: f"house no {sale.order}",
    "postcode": lambda _, sale: f"{sale.order} Berlin",
    "customer number": lambda _, sale: f"customer no {sale.order}",
    "phone": lambda _, sale: f"tel {sale.order}",
    "phone with prefix": lambda pick, sale: f"+49 {pick.randrange(100, 999)} {sale.order}",
    "amount in words": lambda _, sale: f"for {sale.order}.00 EUR",
    "time": lambda _, sale: f"at {sale.order[:2]}:{sale.order[2:4]}:00",
    "account number": lambda _, sale: f"DE89 3704 0044 {sale.order[:4]} 0130 00",
    "year": lambda _, __: "rent 2026",
    "another company's": lambda _, sale: f"ACME-{sale.number}",
    "another company's glued": lambda _, sale: f"X{sale.number}",
    "earlier system": lambda pick, _: f"invoice R-{pick.randrange(10000, 99999)}",
    "unknown number of our form": lambda pick, _: f"INV/2026/{pick.randrange(90000, 99999)}",
    "also names an unknown": lambda pick, sale: f"{sale.number} and INV/2026/{pick.randrange(90000, 99999)}",
    "credit note": lambda _, sale: f"R{sale.number}",
    "partial": lambda _, sale: sale.number[:-1],
    "only the year part": lambda _, __: "INV/2026",
    "check digits wrong": lambda pick, sale: _reference(sale.number.replace("/", "")[3:], pick.randrange(1, 90)),
    "product word": lambda _, __: "Lamp Studio 54 Archer",
}


@dataclass(frozen=True, slots=True)
class Line:
    """`target` is empty where nothing in the books is meant; `named` says that the line identifies its target."""

    item: Item
    kind: str
    week: int
    target: str = ""
    named: bool = False


@dataclass
class World:
    """A company's year; `lines` in no order, `sales` by the week in which the books learn of them."""

    pick: Pick
    sales: dict[int, list[Sale]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    count: int = 0

    def sale(self, week: int, amount: Money | None = None, *, payout: bool = False) -> Sale:
        self.count += 1
        number = self.count
        key = f"t{number:06}"
        amount = amount or Money("EUR", 10_000 + 7 * number)  # of its own: whoever shares it was made to
        if payout:
            order, name = f"po_{self.pick.getrandbits(90):024X}", f"{7_700_000_000 + 13 * number}"
            item = _item(key, ItemKind.PAYOUT, amount, week, (name, order), source=order)
        else:
            order, name = str(20_000 + number), f"INV/2026/{number:05}"
            item = _item(key, ItemKind.INVOICE, amount, week, (order, name))
        sale = Sale(item, order, name)
        self.sales.setdefault(week, []).append(sale)
        return sale

    def line(
        self, kind: str, week: int, text: str, amount: Money, target: Sale | None = None, *, named: bool = False
    ) -> None:
        key = f"b{len(self.lines):06}"
        item = _item(key, ItemKind.BANK_LINE, amount, week, (text,) if text else ())
        self.lines.append(Line(item, kind, week, target.item.posting if target else "", named))


def _item(key: str, kind: ItemKind, amount: Money, week: int, words: tuple[str, ...], source: str = "") -> Item:
    return Item(
        posting=key, company="acme", kind=kind, interface="bank/1", event=key, event_kind="", effect="", object_id=key,
        source_id=source, transaction_id=key, amount=amount, clearing_units=0, day=FIRST_DAY + timedelta(weeks=week),
        words=words, side_open=True, clearing_open=False, receipt_open=False, version=1, learned_at=NOW,
    )  # fmt: skip


def world(lines: int, seed: int = 1) -> World:
    """About as many lines, each kind as often as the others of its group: 55 % named, 35 % traps, the rest unnamed."""
    made = World(random.Random(seed))
    pick = made.pick
    while len(made.lines) < lines:
        week, chance = pick.randrange(WEEKS), pick.random()
        if chance < 0.45:
            kind, sale = pick.choice(list(NAMED)), made.sale(week)
            made.line(kind, week, NAMED[kind](pick, sale), sale.item.amount, sale, named=True)
        elif chance < 0.55:
            kind, sale = pick.choice(list(PAYOUTS)), made.sale(week, payout=True)
            made.line(kind, week, PAYOUTS[kind](pick, sale), sale.item.amount, sale, named=True)
        elif chance < 0.80:
            kind, sale = pick.choice(list(TRAPS)), made.sale(week)
            made.line(f"trap: {kind}", week, TRAPS[kind](pick, sale), sale.item.amount)
        elif chance < 0.90:
            pick.choice(_SCENES)(made, week)
        elif chance < 0.90 + UNKNOWN_SHARE / 2:
            made.line("unknown to the books", week, "see letter", Money("EUR", pick.randrange(10_000, 10_000_000)))
        else:
            sale = made.sale(week)
            made.line("pays without a word", week, "thank you", sale.item.amount, sale)
    return made


def _two_of_one_amount(made: World, week: int) -> None:
    first = made.sale(week)
    made.sale(week, first.item.amount)
    made.line("trap: two of one amount", week, "thanks", first.item.amount, first)


def _names_two(made: World, week: int) -> None:
    first, second = made.sale(week), made.sale(week)
    made.line("trap: names two", week, f"{first.number}, {second.number}", first.item.amount)


def _reversed(made: World, week: int) -> None:
    sale = made.sale(week)
    made.line("trap: the other side", week, sale.number, -sale.item.amount)


def _other_currency(made: World, week: int) -> None:
    sale = made.sale(week)
    made.line("trap: other currency", week, sale.number, Money("USD", sale.item.amount.minor_units))


def _off_by_a_cent(made: World, week: int) -> None:
    sale = made.sale(week)
    made.line("trap: off by a cent", week, sale.number, sale.item.amount + Money("EUR", made.pick.choice((-1, 1))))


def _paid_twice(made: World, week: int) -> None:
    sale = made.sale(week)
    for _ in range(2):
        made.line("trap: two lines for one", week, sale.number, sale.item.amount)


def _of_a_paid_one(made: World, week: int) -> None:
    paid, still = made.sale(max(week - 2, 0)), made.sale(week)
    made.line("number", max(week - 2, 0), paid.number, paid.item.amount, paid, named=True)
    made.line("trap: number of a paid one", week, paid.number, still.item.amount)


def _names_a_later_one(made: World, week: int) -> None:
    rival = made.sale(week)
    late = made.sale(min(week + 2, WEEKS - 1), rival.item.amount)
    made.line("names one that is posted later", week, f"order {late.order}", rival.item.amount, late, named=True)


def _mutual_number(made: World, week: int) -> None:
    """One's number is a piece of the other's."""
    first = made.sale(week)
    second = made.sale(week, first.item.amount)
    made.line("names one of two of an amount", week, f"order {second.order}", first.item.amount, second, named=True)


def _customer_in_transit(made: World, week: int) -> None:
    sale = made.sale(week, payout=True)
    made.line("trap: amount of a payout", week, "transfer", sale.item.amount)


def _piece_of_a_trace(made: World, week: int) -> None:
    sale = made.sale(week, payout=True)
    made.line("trap: piece of a trace", week, f"PAYOUT {sale.number[:-2]}", sale.item.amount)


_SCENES = (
    _two_of_one_amount, _names_two, _reversed, _other_currency, _off_by_a_cent, _paid_twice, _of_a_paid_one,
    _names_a_later_one, _mutual_number, _customer_in_transit, _piece_of_a_trace,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Played:
    """What the passes matched: of each line the target, and of those left what the last pass said."""

    lines: tuple[Line, ...]
    matched: dict[str, str]
    last: Result

    @property
    def wrong(self) -> list[Line]:
        return [line for line in self.lines if self.matched.get(line.item.posting, line.target) != line.target]

    @property
    def recall(self) -> float:
        named = [line for line in self.lines if line.named]
        return sum(line.item.posting in self.matched for line in named) / len(named)

    @property
    def proposed(self) -> float:
        """Of the lines that mean a target without naming it: the share to which a person is shown it."""
        shown = {one.bank: {one.target} for one in self.last.proposed}
        shown |= {one.bank: {one.target} for one in self.last.nearest}
        shown |= {one.bank: {*one.candidates} for one in self.last.ambiguous}
        rest = [line for line in self.lines if line.target and not line.named]
        return sum(line.target in shown.get(line.item.posting, ()) for line in rest) / len(rest)

    def table(self) -> Iterator[str]:
        """A row a kind: lines, right, wrong, left."""
        wrong = Counter(line.kind for line in self.wrong)
        done = Counter(line.kind for line in self.lines if line.item.posting in self.matched)
        for kind, count in sorted(Counter(line.kind for line in self.lines).items()):
            right = done[kind] - wrong[kind]
            yield f"{kind:40} {count:7,} {right:7,} {wrong[kind]:7,} {count - done[kind]:7,}"


def play(made: World, every: int = 1) -> Played:
    """A pass in each so many weeks: what the books know by then, and the lines that no pass has matched."""
    matched: dict[str, str] = {}
    open_lines: dict[str, Item] = {}
    open_items: dict[str, Item] = {}
    arriving: dict[int, list[Item]] = {}
    for line in made.lines:
        arriving.setdefault(line.week, []).append(line.item)
    last = Result()
    for week in range(WEEKS):
        open_items |= {sale.item.posting: sale.item for sale in made.sales.get(week, ())}
        open_lines |= {item.posting: item for item in arriving.get(week, ())}
        if week % every and week != WEEKS - 1:
            continue
        targets = targets_of(open_items.values(), ())
        last = match(bank_items(open_lines.values(), targets), targets)
        for pair in last.pairs:
            matched[pair.bank] = pair.target
            del open_lines[pair.bank], open_items[pair.target]
    return Played(tuple(made.lines), matched, last)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Play a year of traps and true lines.")
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    played = play(world(asked.lines, asked.seed))
    print(f"{'kind':40} {'lines':>7} {'right':>7} {'wrong':>7} {'left':>7}")
    print(*played.table(), sep="\n")
    print(f"{len(played.lines):,} lines, {len(played.matched):,} matched, {len(played.wrong)} wrong")
    print(
        f"recall {played.recall:.1%} of the lines that name their target; of the others that have one, {played.proposed:.1%} show it"
    )
    return 1 if played.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
