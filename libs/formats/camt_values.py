"""Values of ISO 20022 cash messages: amounts, dates, names of elements. Knows no message structure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from lxml import etree

from libs.money import BadAmount, Money, UnknownCurrency

from .errors import (
    FormatError,
    StatementAmountInvalid,
    StatementCurrencyUnknown,
    StatementDateInvalid,
    StatementSideInvalid,
)
from .statement import Side

Element = etree._Element

# xs:date and xs:dateTime. The zone is not applied: the bank's own calendar date is what counts in the books.
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d:\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
# xs:decimal without a sign: `12`, `12.30`, `.5` and `5.` are all allowed by the schema.
_DECIMAL = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)

_KNOWN_NAMES = 1000  # a hostile file may hold any number of names


class Names:
    """Local names of one namespace, and children by local name."""

    def __init__(self, namespace: str) -> None:
        self.prefix = f"{{{namespace}}}"
        self._known: dict[str, str] = {}

    def local(self, element: Element) -> str:
        """The local name; empty for an element of another namespace, which no handler knows."""
        tag = str(element.tag)
        name = self._known.get(tag)
        if name is None:
            name = tag[len(self.prefix) :] if tag.startswith(self.prefix) else ""
            if len(self._known) < _KNOWN_NAMES:
                self._known[tag] = name
        return name

    def parts(self, element: Element | None) -> dict[str, Element]:
        """The children by local name, the first of each: one pass costs less than a search for each name."""
        found: dict[str, Element] = {}
        if element is not None:
            known = self._known
            for part in element:
                name = known.get(str(part.tag))
                found.setdefault(self.local(part) if name is None else name, part)
        return found

    def child(self, element: Element | None, *path: str) -> Element | None:
        """The first descendant along the path of local names."""
        for name in path:
            if element is None:
                return None
            element = next(element.iterchildren(self.prefix + name), None)
        return element

    def children(self, element: Element, name: str) -> Iterator[Element]:
        return element.iterchildren(self.prefix + name)

    def text(self, element: Element | None, *path: str) -> str | None:
        """The stripped text along the path; None where absent or blank."""
        return own_text(self.child(element, *path))


def own_text(element: Element | None) -> str | None:
    if element is None:
        return None
    text = element.text
    return None if text is None else text.strip() or None


def place_of(element: Element) -> str:
    """Line and local names, for example `line 12, Ntry/Amt`."""
    steps = [str(element.tag).rpartition("}")[2]]
    for ancestor in element.iterancestors():
        steps.append(str(ancestor.tag).rpartition("}")[2])
        if steps[-1] in ("Ntry", "Bal", "Stmt", "Rpt", "Ntfctn"):
            break
    return f"line {element.sourceline}, {'/'.join(reversed(steps))}"


def refuse(kind: type[FormatError], message: str, element: Element) -> FormatError:
    return kind(message, place_of(element))


def amount_of(element: Element | None, parent: Element) -> Money:
    """The unsigned amount of an `Amt`-like element; raises `FormatError`."""
    if element is None:
        raise refuse(StatementAmountInvalid, "the amount is missing", parent)
    text = own_text(element) or ""
    if not _DECIMAL.fullmatch(text):
        raise refuse(StatementAmountInvalid, "not an unsigned plain decimal amount", element)
    if text[0] == ".":
        text = f"0{text}"
    try:
        return Money.parse(element.get("Ccy", ""), text.rstrip(".") if text[-1] == "." else text)
    except UnknownCurrency:
        raise refuse(StatementCurrencyUnknown, "not an ISO 4217 currency", element) from None
    except BadAmount:
        message = "the amount has more digits than its currency or than 64 bits hold"
        raise refuse(StatementAmountInvalid, message, element) from None


_SIDES = {"CRDT": Side.CREDIT, "DBIT": Side.DEBIT}


def side_of(element: Element | None, parent: Element) -> Side:
    """CdtDbtInd; raises `StatementSideInvalid`."""
    side = _SIDES.get(own_text(element) or "")
    if side is None:
        raise refuse(StatementSideInvalid, "neither credit nor debit", parent if element is None else element)
    return side


def signed(amount: Money, side: Side) -> Money:
    return amount if side is Side.CREDIT else -amount


@lru_cache(maxsize=4096)
def calendar_date(text: str) -> date | None:
    """The bank's own calendar date of an xs:date or xs:dateTime; None for another text."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None


def date_of(element: Element | None) -> date | None:
    """The date of a `Dt`, `DtTm`, or a choice of the two; None where absent. Raises `StatementDateInvalid`."""
    if element is None:
        return None
    leaf = element[0] if len(element) else element
    text = own_text(leaf)
    if text is None:
        return None
    found = calendar_date(text)
    if found is None:
        raise refuse(StatementDateInvalid, "not a date of the calendar", leaf)
    return found


def compact(text: str | None) -> str | None:
    """An account number as it is compared: upper case, without spaces and characters that nobody sees.

    Invisible and bidirectional characters come with numbers that were copied from a web page or a document: the same
    account would have two names. None where nothing is left.
    """
    if not text:
        return None
    if not text.isascii():
        text = "".join(letter for letter in text if unicodedata.category(letter) not in _UNSEEN)
    return "".join(text.split()).upper() or None


_UNSEEN = frozenset({"Cc", "Cf"})  # of Unicode: controls; format characters, the bidirectional ones among them
