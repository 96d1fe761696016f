"""The reviewed mapping file, read strictly: `docs/mapping.md` is its manual. Every problem names its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from zoneinfo import ZoneInfo

import yaml

from ..domain.errors import MappingInvalid
from ..domain.mapping import (
    CompanyMapping,
    CompanyPolicy,
    MappedBank,
    MappedFee,
    MappedParty,
    MappedProduct,
    MappedRole,
    MappedSource,
    MappedTax,
    MappingScope,
)
from ..domain.numbers import decimal_text
from ..domain.roles import ACCOUNT_ROLES, FEE_ROLES, JOURNAL_TYPES, SALE, TAX_ROLES
from .yaml_nodes import Problems, Refused, Section, compose

LATE_EVENT_POLICIES = ("next_open_day", "exception")
DEFAULT_DEADLINE_SECONDS = 72 * 3600
_SECTIONS = (*("company", "sources", "roles", "journals", "bank_accounts", "taxes", "fees", "parties", "products"),)
_DURATION = re.compile(r"([1-9]\d{0,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Files beside the zones: this machine's own setting, a placeholder, and zones that count leap seconds.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_NO_FOLDERS = ("right/", "posix/")

Row = TypeVar("Row")


def read_mapping(text: str) -> CompanyMapping:
    """The file's content. Raises `MappingInvalid` with all its problems, each with line and column."""
    problems = Problems()
    mapping = None
    with suppress(Refused):
        mapping = _File(problems).read(compose(text, problems))
    if problems.found or mapping is None:
        raise MappingInvalid(problems.texts())
    return mapping


class _File:
    """One file on its way to a `CompanyMapping`."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._sources: tuple[MappedSource, ...] = ()
        self._seen: dict[Hashable, yaml.Node] = {}  # what was said already, and where

    def read(self, node: yaml.MappingNode) -> CompanyMapping:
        file = Section(node, "the file", self._problems, _SECTIONS)
        self._sources = self._rows(file, "sources", ("provider", "account", "issuer"), self._source)
        scope = ("role", "provider", "account", "currency")
        return CompanyMapping(
            company=self._company(file, node),
            sources=self._sources,
            roles=self._rows(file, "roles", (*scope, "code"), self._role(tuple(ACCOUNT_ROLES), "roles")),
            journals=self._rows(file, "journals", (*scope, "code"), self._role(tuple(JOURNAL_TYPES), "journals")),
            bank_accounts=self._rows(file, "bank_accounts", ("number", "journal"), self._bank_account),
            taxes=self._rows(
                file, "taxes", ("provider", "account", "title", "rate", "tax", "tax_id", "use"), self._tax
            ),
            fees=self._rows(file, "fees", ("provider", "account", "kind", "role"), self._fee),
            parties=self._rows(
                file, "parties", ("partner", "partner_id", "external_ids", "unidentified_for"), self._party
            ),
            products=self._rows(file, "products", ("sku", "product", "product_id"), self._product),
        )

    def _rows(self, file: Section, key: str, known: tuple[str, ...], read: Callable[[Section], Row]) -> tuple[Row, ...]:
        return tuple(read(Section(node, where, self._problems, known)) for node, where in file.items(key))

    def _company(self, file: Section, node: yaml.MappingNode) -> CompanyPolicy:
        keys = ("time_zone", "approval_above", "late_event_policy", "predecessor_deadline")
        found = [value for key, value in node.value if key.value == "company"]
        if not found:
            self._problems.add(node, "the file: company is required")
            return CompanyPolicy("", "0", LATE_EVENT_POLICIES[0], DEFAULT_DEADLINE_SECONDS, 1)
        section = Section(found[0], "company", self._problems, keys)
        return CompanyPolicy(
            time_zone=section.read("time_zone", _time_zone, "", required=True),
            approval_above=section.read("approval_above", _amount, "0"),
            late_event_policy=section.one_of("late_event_policy", LATE_EVENT_POLICIES, default=LATE_EVENT_POLICIES[0]),
            predecessor_deadline_seconds=section.read("predecessor_deadline", _duration, DEFAULT_DEADLINE_SECONDS),
            line=section.line,
        )

    def _source(self, section: Section) -> MappedSource:
        provider = section.read("provider", _source_part, "", required=True)
        account = section.read("account", _source_part, "", required=True)
        issuer = section.read("issuer", _issuer, f"{provider}/{account}")
        self._once(section, "sources", provider, account)
        return MappedSource(provider, account, issuer, section.line)

    def _role(self, known: tuple[str, ...], kind: str) -> Callable[[Section], MappedRole]:
        def read(section: Section) -> MappedRole:
            role = section.one_of("role", known, required=True)
            scope = self._scope(section)
            self._once(section, kind, role, scope)
            return MappedRole(role, scope, section.text("code", required=True), section.line)

        return read

    def _bank_account(self, section: Section) -> MappedBank:
        number = "".join(section.text("number", required=True).split()).upper()
        self._once(section, "bank_accounts", number)
        return MappedBank(number, section.text("journal", required=True), section.line)

    def _tax(self, section: Section) -> MappedTax:
        provider, account = self._provider(section, required=True)
        title = section.text("title")
        rate = section.read("rate", _rate, "", required=True)
        tax, tax_id = self._named(section, "tax", "tax_id")
        use = section.one_of("use", tuple(TAX_ROLES), default=SALE)
        self._once(section, "taxes", provider, account, title, rate, use)
        return MappedTax(provider, account, title, rate, tax, tax_id, use, section.line)

    def _fee(self, section: Section) -> MappedFee:
        provider, account = self._provider(section)
        kind = section.text("kind", required=True)
        role = section.one_of("role", sorted(FEE_ROLES), required=True)
        self._once(section, "fees", provider, account, kind)
        return MappedFee(provider, account, kind, role, section.line)

    def _party(self, section: Section) -> MappedParty:
        partner, partner_id = self._named(section, "partner", "partner_id")
        self._once(section, "parties", partner, partner_id)
        external_ids = []
        for issuer, values in section.lists("external_ids").items():
            self._known_issuer(section, "external_ids", issuer)
            for node, value in values:
                self._once_at(node, section, "external ids", issuer, value)
                external_ids.append((issuer, value))
        unidentified_for = []
        for node, issuer in section.texts("unidentified_for"):
            self._known_issuer(section, "unidentified_for", issuer)
            self._once_at(node, section, "unidentified customers", issuer)
            unidentified_for.append(issuer)
        if not section.has("external_ids") and not section.has("unidentified_for"):
            section.problem("partner", "needs external_ids or unidentified_for")
        return MappedParty(partner, partner_id, tuple(external_ids), tuple(unidentified_for), section.line)

    def _product(self, section: Section) -> MappedProduct:
        sku = section.text("sku", required=True)
        product, product_id = self._named(section, "product", "product_id")
        self._once(section, "products", sku)
        return MappedProduct(sku, product, product_id, section.line)

    def _scope(self, section: Section) -> MappingScope:
        provider, account = self._provider(section)
        return MappingScope(provider, account, section.read("currency", _currency, ""))

    def _provider(self, section: Section, *, required: bool = False) -> tuple[str, str]:
        """Provider and account of a row, which `sources` must name: a typing error would match nothing."""
        provider = section.text("provider", required=required)
        account = section.text("account")
        if account and not provider:
            section.problem("account", "an account needs its provider")
        elif provider and not any(
            source.provider == provider and account in ("", source.account) for source in self._sources
        ):
            section.problem("account" if account else "provider", "sources does not name this provider account")
        return provider, account

    def _named(self, section: Section, by_name: str, by_id: str) -> tuple[str, int]:
        """A record of Odoo by its name or by its id: exactly one of them."""
        if section.has(by_name) == section.has(by_id):
            section.problem(by_name, f"needs either {by_name} or {by_id}")
        return section.text(by_name), section.read(by_id, _odoo_id, 0)

    def _known_issuer(self, section: Section, key: str, issuer: str) -> None:
        if issuer and issuer not in {source.issuer for source in self._sources}:
            section.problem(key, f"{key}: {issuer!r} is no issuer of sources")

    def _once(self, section: Section, *key: Hashable) -> None:
        self._once_at(section.node, section, *key)

    def _once_at(self, node: yaml.Node, section: Section, *key: Hashable) -> None:
        first = self._seen.setdefault(key, node)
        if first is not node:
            line = first.start_mark.line + 1
            self._problems.add(node, f"{section.where}: says again what line {line} says")


def _time_zone(text: str) -> str:
    wrong = ValueError("not an IANA time zone, such as America/New_York")
    if text in _NO_ZONES or text.startswith(_NO_FOLDERS):
        raise wrong
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise wrong from None
    return text


def _amount(text: str) -> str:
    return decimal_text(_decimal(text, "not an amount such as 1000.00"))


def _rate(text: str) -> str:
    rate = _decimal(text, "not a fraction such as 0.08")
    if rate >= 1:
        raise ValueError("a rate is a fraction below 1: 8 % is 0.08")
    return decimal_text(rate)


def _decimal(text: str, message: str) -> Decimal:
    if re.fullmatch(r"\d{1,15}(\.\d{1,12})?", text, re.ASCII) is None:
        raise ValueError(message)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(message) from None


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not a duration such as 90m, 72h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def _odoo_id(text: str) -> int:
    return int(_odoo_digits(text))


def _form(pattern: str, message: str) -> Callable[[str], str]:
    """Takes a text of that form alone; `message` is of the ValueError that any other raises."""

    def read(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(message)
        return text

    return read


_currency = _form(r"[A-Z]{3}", "not an ISO 4217 code")
_odoo_digits = _form(r"[1-9][0-9]{0,9}", "not a record's id")
_source_part = _form(r"[^/\s]{1,64}", "must have no slash and no space, and at most 64 characters")
_issuer = _form(r"[^/\s]{1,64}/[^/\s]{1,64}", "must be of the form provider/account")
