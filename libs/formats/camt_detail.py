"""`TxDtls`: one transaction of an entry, over all versions of the message."""

from __future__ import annotations

from dataclasses import dataclass

from libs.money import Money

from .camt_values import Element, Names, amount_of, compact, own_text, side_of, signed
from .errors import StatementAmountInvalid, StatementCurrencyUnknown, StatementSideInvalid
from .statement import (
    BankTransactionCode,
    Charge,
    Detail,
    DocumentReference,
    Finding,
    References,
    ReturnInformation,
    Side,
    StatementParty,
)

_REFERENCES = {
    "EndToEndId": "end_to_end_id",
    "InstrId": "instruction_id",
    "TxId": "transaction_id",
    "UETR": "uetr",
    "MndtId": "mandate_id",
    "PmtInfId": "payment_information_id",
    "MsgId": "message_id",
    "AcctSvcrRef": "account_servicer_reference",
    "ClrSysRef": "clearing_reference",
    "ChqNb": "cheque_number",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """The money of one transaction."""

    side: Side
    amount: Money | None
    charges: tuple[Charge, ...]


class DetailReader:
    """Reads `TxDtls`. Amounts that cannot be read are findings here: the entry's own amount is what is booked."""

    def __init__(self, names: Names, own_account: str) -> None:
        self._names = names
        self._own_account = own_account

    def read(self, element: Element, entry_side: Side, reversal: bool, findings: list[Finding]) -> Detail:
        """One transaction; `entry_side` holds where it names no side of its own."""
        names = self._names
        parts = names.parts(element)
        amounts = self._amounts(element, parts, entry_side, findings)
        returned = self._returned(parts.get("RtrInf"))
        debtor, creditor = self._parties(parts.get("RltdPties"), parts.get("RltdAgts"))
        remittance = parts.get("RmtInf")
        structured = [] if remittance is None else list(names.children(remittance, "Strd"))
        purpose = parts.get("Purp")
        return Detail(
            references=self._references(parts.get("Refs")),
            amount=amounts.amount,
            side=amounts.side,
            instructed_amount=self._part_amount(parts.get("AmtDtls"), "InstdAmt", amounts.side, findings),
            counterparty=self._counterparty(debtor, creditor, amounts.side, reversal or returned is not None),
            debtor=debtor,
            creditor=creditor,
            code=transaction_code(names, parts.get("BkTxCd")),
            remittance=self._unstructured(remittance, structured),
            creditor_references=self._creditor_references(structured),
            documents=self._documents(structured),
            charges=amounts.charges,
            returned=returned,
            purpose=names.text(purpose, "Cd") or names.text(purpose, "Prtry"),
            additional_information=own_text(parts.get("AddtlTxInf")),
        )

    def amounts(self, element: Element, entry_side: Side, findings: list[Finding]) -> Amounts:
        """Only what adding up needs, with the same findings on it as `read`."""
        parts = self._names.parts(element)
        amounts = self._amounts(element, parts, entry_side, findings)
        self._part_amount(parts.get("AmtDtls"), "InstdAmt", amounts.side, findings)
        return amounts

    def _amounts(
        self, element: Element, parts: dict[str, Element], entry_side: Side, findings: list[Finding]
    ) -> Amounts:
        side = entry_side
        if (indicator := parts.get("CdtDbtInd")) is not None:
            try:
                side = side_of(indicator, element)
            except StatementSideInvalid as error:
                findings.append(Finding("DETAIL_SIDE_INVALID", str(error), error.position))
        # `Amt` (version 3 on), else `AmtDtls/TxAmt`. Never the instructed amount: charges may separate the two.
        if "Amt" in parts:
            amount = _readable(parts["Amt"], side, findings)
        else:
            amount = self._part_amount(parts.get("AmtDtls"), "TxAmt", side, findings)
        charges = tuple(charges_of(self._names, element, findings)) if "Chrgs" in parts else ()
        return Amounts(side, amount, charges)

    def _part_amount(self, details: Element | None, name: str, side: Side, findings: list[Finding]) -> Money | None:
        if details is None:
            return None
        element = self._names.child(details, name, "Amt")
        return None if element is None else _readable(element, side, findings)

    def _references(self, element: Element | None) -> References:
        if element is None:
            return References()
        found: dict[str, str] = {}
        proprietary: list[tuple[str, str]] = []
        for part in element:
            name = self._names.local(part)
            field = _REFERENCES.get(name)
            if field is not None:
                if text := own_text(part):
                    found[field] = text
            elif name == "Prtry" and (text := self._names.text(part, "Ref")):
                proprietary.append((self._names.text(part, "Tp") or "", text))
        return References(**found, proprietary=tuple(proprietary))

    def _parties(
        self, parties: Element | None, agents: Element | None
    ) -> tuple[StatementParty | None, StatementParty | None]:
        if parties is None and agents is None:
            return None, None
        roles, banks = self._names.parts(parties), self._names.parts(agents)
        return self._party(roles, banks, "Dbtr"), self._party(roles, banks, "Cdtr")

    def _party(self, roles: dict[str, Element], banks: dict[str, Element], role: str) -> StatementParty | None:
        names = self._names
        name, bic = self._name_and_bic(roles.get(role))
        if (agent := banks.get(f"{role}Agt")) is not None:
            bic = bic_of(names, names.child(agent, "FinInstnId")) or bic
        account = None
        if (stated := roles.get(f"{role}Acct")) is not None:
            account, _ = account_number(names, stated)
        ultimate, _ = self._name_and_bic(roles.get(f"Ultmt{role}"))
        if not (name or account or bic or ultimate):
            return None
        return StatementParty(name, account, bic, ultimate)

    def _name_and_bic(self, party: Element | None) -> tuple[str | None, str | None]:
        """Up to version 7 the party itself, from 8 on a choice of `Pty` and `Agt`."""
        if party is None:
            return None, None
        names = self._names
        parts = names.parts(party)
        if "Agt" in parts:
            institution = names.child(parts["Agt"], "FinInstnId")
            return names.text(institution, "Nm"), bic_of(names, institution)
        if "Pty" in parts:
            return names.text(parts["Pty"], "Nm"), None
        return own_text(parts.get("Nm")), None

    def _counterparty(
        self, debtor: StatementParty | None, creditor: StatementParty | None, side: Side, back: bool
    ) -> StatementParty | None:
        """The other side of the payment.

        A returned payment keeps the roles that the original had, so there the money comes from the creditor. Our own
        account settles it; where a bank filled in only one party, that is the one it means.
        """
        first, second = (debtor, creditor) if (side is Side.CREDIT) != back else (creditor, debtor)
        ours = self._own_account
        if first is not None and (first.account is None or first.account != ours):
            return first
        if second is not None and second.account != ours:
            return second
        # Both on our own account: a transfer to ourselves.
        return first

    def _unstructured(self, remittance: Element | None, structured: list[Element]) -> tuple[str, ...]:
        if remittance is None:
            return ()
        lines = [own_text(part) for part in self._names.children(remittance, "Ustrd")]
        for block in structured:
            lines += [own_text(part) for part in self._names.children(block, "AddtlRmtInf")]
        return tuple(line for line in lines if line)

    def _creditor_references(self, structured: list[Element]) -> tuple[str, ...]:
        names = self._names
        found = (
            names.text(block, "CdtrRefInf", "Ref") or names.text(block, "CdtrRefInf", "CdtrRef") for block in structured
        )
        return tuple(reference for reference in found if reference)

    def _documents(self, structured: list[Element]) -> tuple[DocumentReference, ...]:
        names = self._names
        found: list[DocumentReference] = []
        for block in structured:
            for document in names.children(block, "RfrdDocInf"):
                number = names.text(document, "Nb") or names.text(document, "RfrdDocNb")
                if number:
                    kind = names.child(document, "Tp", "CdOrPrtry")
                    found.append(DocumentReference(number, names.text(kind, "Cd") or names.text(kind, "Prtry")))
        return tuple(found)

    def _returned(self, element: Element | None) -> ReturnInformation | None:
        if element is None:
            return None
        names = self._names
        code = (
            names.text(element, "Rsn", "Cd")
            or names.text(element, "Rsn", "Prtry")
            or names.text(element, "RtrRsn", "Cd")
        )
        originator, _ = self._name_and_bic(names.child(element, "Orgtr"))
        if originator is None:
            organisation = names.child(element, "Orgtr", "Id", "OrgId")
            originator = names.text(organisation, "AnyBIC") or names.text(organisation, "BICOrBEI")
        texts = [own_text(part) for part in names.children(element, "AddtlInf")]
        return ReturnInformation(code, originator, tuple(text for text in texts if text))


def transaction_code(names: Names, element: Element | None) -> BankTransactionCode | None:
    """BkTxCd; None where it is absent or says nothing."""
    if element is None or not len(element):
        return None
    parts = names.parts(element)
    domain = names.parts(parts.get("Domn"))
    family = names.parts(domain.get("Fmly"))
    proprietary = names.parts(parts.get("Prtry"))
    own = own_text(proprietary.get("Cd"))
    code = BankTransactionCode(
        own_text(domain.get("Cd")),
        own_text(family.get("Cd")),
        own_text(family.get("SubFmlyCd")),
        own,
        own_text(proprietary.get("Issr")) if own else None,
    )
    return None if code == _NO_CODE else code


_NO_CODE = BankTransactionCode()


def account_number(names: Names, account: Element | None) -> tuple[str | None, str]:
    """The number without spaces and its scheme; version 1 has BBAN, UPIC and PrtryAcct in the place of Othr."""
    identification = names.child(account, "Id")
    if iban := names.text(identification, "IBAN"):
        return compact(iban), "IBAN"
    other = (
        names.text(identification, "Othr", "Id")
        or names.text(identification, "PrtryAcct", "Id")
        or names.text(identification, "BBAN")
        or names.text(identification, "UPIC")
    )
    return compact(other), "OTHER"


def bic_of(names: Names, institution: Element | None) -> str | None:
    """BIC to version 2, BICFI later, CmbndId/BIC in version 1."""
    parts = names.parts(institution)
    return own_text(parts.get("BICFI")) or own_text(parts.get("BIC")) or names.text(parts.get("CmbndId"), "BIC")


def charges_of(names: Names, element: Element, findings: list[Finding]) -> list[Charge]:
    """Single charges: `Chrgs/Rcrd` from version 3 on, repeated `Chrgs` before; a debit unless marked as a credit.

    Where only their total is stated (`TtlChrgsAndTaxAmt`), that is one charge.
    """
    found: list[Charge] = []
    for charges in names.children(element, "Chrgs"):
        records = list(names.children(charges, "Rcrd")) or [charges]
        total = names.child(charges, "TtlChrgsAndTaxAmt")
        if total is not None and all(names.child(record, "Amt") is None for record in records):
            money = _readable(total, Side.DEBIT, findings)
            if money is not None and money:
                found.append(Charge(money))
            continue
        for record in records:
            amount = names.child(record, "Amt")
            if amount is None:
                continue
            side = Side.CREDIT if names.text(record, "CdtDbtInd") == "CRDT" else Side.DEBIT
            money = _readable(amount, side, findings)
            if money is not None and money:
                included = names.text(record, "ChrgInclInd")
                found.append(Charge(money, None if included is None else included in ("true", "1")))
    return found


def _readable(element: Element, side: Side, findings: list[Finding]) -> Money | None:
    try:
        return signed(amount_of(element, element), side)
    except (StatementAmountInvalid, StatementCurrencyUnknown) as error:
        findings.append(Finding("DETAIL_AMOUNT_INVALID", str(error), error.position))
        return None
