"""The demo bank's camt.053 statement (ISO 20022, camt.053.001.08)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

OPENING = Decimal("1000.00")


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that arrived."""

    reference: str  # the bank's own
    amount: Decimal
    payer: str
    words: str


def statement(number: str, bank_account: str, day: date, lines: list[Credit], currency: str = "USD") -> bytes:
    """A day's statement whose balances tie."""
    closing = OPENING + sum((line.amount for line in lines), Decimal(0))
    entries = "".join(_entry(line, day, currency) for line in lines)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
 <BkToCstmrStmt>
  <GrpHdr><MsgId>MSG-{number}</MsgId><CreDtTm>{day}T23:30:00Z</CreDtTm></GrpHdr>
  <Stmt>
   <Id>{number}</Id>
   <CreDtTm>{day}T23:30:00Z</CreDtTm>
   <Acct><Id><Othr><Id>{bank_account}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
   {_balance("OPBD", OPENING, day, currency)}
   {_balance("CLBD", closing, day, currency)}{entries}
  </Stmt>
 </BkToCstmrStmt>
</Document>
""".encode()


def _balance(code: str, amount: Decimal, day: date, currency: str) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(credit: Credit, day: date, currency: str) -> str:
    return f"""
   <Ntry>
    <Amt Ccy="{currency}">{credit.amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
    <BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>
    <AcctSvcrRef>{credit.reference}</AcctSvcrRef>
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><TxDtls>
     <RltdPties><Dbtr><Pty><Nm>{escape(credit.payer)}</Nm></Pty></Dbtr></RltdPties>
     <RmtInf><Ustrd>{escape(credit.words)}</Ustrd></RmtInf>
    </TxDtls></NtryDtls>
   </Ntry>"""
