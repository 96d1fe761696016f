"""Statements written by hand for a test: only what the test is about, the rest by default."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from libs.formats.camt import iter_camt
from libs.formats.statement import StatementEnd, StatementHeader, StatementLine, StatementPart

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ACCOUNT = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"


def amount(text: str) -> str:
    """`10.00`, `-10.00` or `10.00 USD` as amount and indicator."""
    number, _, currency = text.partition(" ")
    side = "DBIT" if number.startswith("-") else "CRDT"
    return f'<Amt Ccy="{currency or "EUR"}">{number.removeprefix("-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def balance(code: str, text: str, day: str = "2026-01-31") -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{amount(text)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def entry(text: str, details: str = "", status: str = "BOOK", more: str = "", reversal: bool = False) -> str:
    """An entry; `details` is what stands in NtryDtls, `more` follows the dates."""
    mark = "<RvslInd>true</RvslInd>" if reversal else ""
    dates = "<BookgDt><Dt>2026-01-31</Dt></BookgDt><ValDt><Dt>2026-01-31</Dt></ValDt>"
    inner = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    return f"<Ntry>{amount(text)}{mark}<Sts><Cd>{status}</Cd></Sts>{dates}{more}{inner}</Ntry>"


def detail(text: str = "", more: str = "") -> str:
    return f"<TxDtls>{amount(text) if text else ''}{more}</TxDtls>"


def document(*parts: str, head: str = "<Id>S1</Id>" + ACCOUNT, namespace: str = NAMESPACE) -> bytes:
    """A message of one statement."""
    body = f"<GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt>{head}{''.join(parts)}</Stmt>"
    return f'<Document xmlns="{namespace}"><BkToCstmrStmt>{body}</BkToCstmrStmt></Document>'.encode()


def read(content: bytes) -> list[StatementPart]:
    return list(iter_camt(BytesIO(content)))


def lines(content: bytes) -> list[StatementLine]:
    return [part for part in read(content) if isinstance(part, StatementLine)]


def ends(content: bytes) -> list[StatementEnd]:
    return [part for part in read(content) if isinstance(part, StatementEnd)]


def headers(content: bytes) -> list[StatementHeader]:
    return [part for part in read(content) if isinstance(part, StatementHeader)]


def reasons(content: bytes) -> Iterator[str]:
    """Findings on lines and ends, in order."""
    for part in read(content):
        yield from (finding.reason for finding in getattr(part, "findings", ()))
