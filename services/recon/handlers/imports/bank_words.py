"""What a bank line says in words: what the payer wrote, and what the bank notes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from libs.formats.statement import Charge, Detail, ReturnInformation, StatementLine
from libs.money import Money

_GOES_ON = ("/", "-")  # no word ends so: the bank cut it where its line was full


def remittance_of(line: StatementLine) -> str:
    """What the payer wrote, and what documents that names, each once."""
    return "; ".join(dict.fromkeys(_remittance(line)))


def written(detail: Detail) -> list[str]:
    """The payer's lines, one that was cut inside of a word together with its next."""
    joined: list[str] = []
    for text in detail.remittance:
        if joined and joined[-1].endswith(_GOES_ON):
            joined[-1] += text
        else:
            joined.append(text)
    return joined


def notes_of(line: StatementLine) -> str:
    """What else a person must see: why it came back, its mandate, for whom it is, charges and original amounts."""
    notes = [note for detail in line.details for note in _notes(detail)]
    return "; ".join(dict.fromkeys([*notes, *_charges(line.charges)]))


def _notes(detail: Detail) -> Iterator[str]:
    if detail.returned is not None:
        yield _return(detail.returned)
    if detail.references.mandate_id:
        yield f"mandate {detail.references.mandate_id}"
    for party, role in ((detail.debtor, "debtor"), (detail.creditor, "creditor")):
        if party is not None and party.ultimate_name:
            yield f"ultimate {role} {party.ultimate_name}"
    if detail.instructed_amount is not None and detail.instructed_amount != detail.amount:
        yield f"instructed {_plain(detail.instructed_amount)}"
    yield from _charges(detail.charges)


def _return(returned: ReturnInformation) -> str:
    parts = (returned.code, *returned.text, f"by {returned.originator}" if returned.originator else None)
    return " ".join(part for part in ("returned", *parts) if part)


def _charges(charges: Iterable[Charge]) -> Iterator[str]:
    for charge in charges:
        yield f"charges {_plain(charge.amount)}{' included' if charge.included else ''}"


def _plain(amount: Money) -> str:
    return f"{amount.decimal()} {amount.currency}"


def _remittance(line: StatementLine) -> Iterator[str]:
    for detail in line.details:
        yield from written(detail)
        yield from detail.creditor_references
        yield from (document.number for document in detail.documents)
        if not detail.remittance and detail.additional_information:
            yield detail.additional_information
    if line.additional_information:
        yield line.additional_information
