"""Carry a plan out on an Odoo company: compare everything, refuse as a whole, then make what is missing.

Every step may be repeated, also after a lost reply: records are found by their code or by an external id of the module
`concord_setup`, and made through `load`, which Odoo answers for one external id once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, TypeAlias

from libs.errors import ConcordError, Kind

from .plan import Plan, PlannedAccount, PlannedJournal, PlannedPartner, PlannedRate, PlannedTax, PlannedUser
from .port import Odoo

MODULE = "concord_setup"

Json: TypeAlias = Any


class CompanyDiffers(ConcordError):
    """The company has something under a planned code that is not what the plan says; nothing was changed."""

    kind: ClassVar[Kind] = Kind.PRECONDITION
    reason: ClassVar[str] = "ODOO_COMPANY_DIFFERS"

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__("; ".join(differences))
        self.differences = tuple(differences)


class SetupRefused(ConcordError):
    """Odoo would not take a record; what was made before it stays and is found again by the next run."""

    kind: ClassVar[Kind] = Kind.PRECONDITION
    reason: ClassVar[str] = "ODOO_SETUP_REFUSED"


@dataclass(frozen=True, slots=True)
class ProvisionStep:
    """One thing of the plan: `action` is KEPT, MADE or CHANGED; in a dry run what would be."""

    kind: str
    key: str
    action: str
    id: int  # Odoo's; 0 where a dry run made nothing
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Todo:
    """A step whose comparison is done. `apply` makes it so and returns the record's id; none: it is so already."""

    kind: str
    key: str
    found: int
    note: str = ""
    apply: Callable[[], int] | None = None

    def run(self, dry: bool) -> ProvisionStep:
        if self.apply is None:
            return ProvisionStep(self.kind, self.key, "KEPT", self.found, self.note)
        action = "CHANGED" if self.found else "MADE"
        return ProvisionStep(self.kind, self.key, action, self.found if dry else self.apply(), self.note)


class Provisioner:
    """Compares and provisions the company of the signed-in administrator.

    `passwords` holds a password for each login that is to be made; an existing user's password is never touched.
    """

    def __init__(self, odoo: Odoo, plan: Plan, passwords: Mapping[str, str]) -> None:
        self._odoo = odoo
        self._plan = plan
        self._passwords = passwords
        self._differences: list[str] = []
        self._accounts: dict[str, int] = {}  # by code, as far as they are known
        self._currency_ids: dict[str, int] = {}

    def run(self, dry: bool = False) -> list[ProvisionStep]:
        """Every step of the plan, in order. Raises CompanyDiffers before anything is changed."""
        company = self._company()
        todos = [*self._currencies(), *self._account_todos()]
        todos += [*self._journals(), *self._taxes(), *self._company_accounts(company), *self._partners()]
        todos += [*self._users()]
        if self._differences:
            raise CompanyDiffers(self._differences)
        steps = []
        for todo in todos:
            step = todo.run(dry)
            if step.kind == "account":
                self._accounts[step.key] = step.id  # later steps name the accounts that this run made
            steps.append(step)
        return steps

    # --- comparisons ---------------------------------------------------------------------------------------------

    def _company(self) -> dict[str, Json]:
        me = self._find("res.users", [["id", "=", self._own_id()]], ["company_id"])[0]
        fields = ["currency_id", "income_currency_exchange_account_id", "expense_currency_exchange_account_id"]
        company: dict[str, Json] = self._find(
            "res.company", [["id", "=", me["company_id"][0]]], [*fields, "transfer_account_id"]
        )[0]
        if company["currency_id"][1] != self._plan.currency:
            self._differ(f"the company keeps its books in {company['currency_id'][1]}, not {self._plan.currency}")
        return company

    def _currencies(self) -> Iterator[_Todo]:
        known = {row["name"]: row for row in self._find("res.currency", [], ["name", "active"])}
        self._currency_ids = {name: int(row["id"]) for name, row in known.items()}
        for name in self._plan.currencies:
            if name not in known:
                self._differ(f"Odoo does not know the currency {name}")
                continue
            row = known[name]
            apply = None if row["active"] else partial(self._write, "res.currency", row["id"], {"active": True})
            yield _Todo("currency", name, row["id"], apply=apply)
        for rate in self._plan.rates:
            if rate.currency in known:
                yield self._rate(rate, known[rate.currency]["id"])

    def _rate(self, rate: PlannedRate, currency_id: int) -> _Todo:
        key = f"{rate.currency} {rate.date}"
        domain = [["currency_id", "=", currency_id], ["name", "=", rate.date]]
        rows = self._find("res.currency.rate", domain, ["inverse_company_rate"])
        if rows:
            theirs = Decimal(str(rows[0]["inverse_company_rate"]))
            # Somebody's own rate for that day is theirs to change: documents may have been booked with it.
            note = "" if abs(theirs - Decimal(rate.value)) < Decimal("0.000001") else "the company's own rate differs"
            return _Todo("rate", key, rows[0]["id"], note)
        cells = {"currency_id/.id": str(currency_id), "name": rate.date, "inverse_company_rate": rate.value}
        return _Todo("rate", key, 0, apply=lambda: self._load("res.currency.rate", f"rate_{key}", [cells]))

    def _account_todos(self) -> Iterator[_Todo]:
        # Odoo 18 has `deprecated` for what 19 calls not `active`.
        known = self._odoo.execute(
            "account.account", "fields_get", [["active", "deprecated"]], {"attributes": ["type"]}
        )
        fields = ["code", "account_type", "reconcile", "currency_id", *known]
        rows = self._by("account.account", "code", [account.code for account in self._plan.accounts], fields)
        for account in self._plan.accounts:
            if account.currency and account.currency not in self._currency_ids:
                self._differ(f"account {account.code}: Odoo does not know the currency {account.currency}")
                continue
            row = rows.get(account.code)
            if row is None:
                yield _Todo("account", account.code, 0, account.role, partial(self._make_account, account))
                continue
            self._accounts[account.code] = row["id"]
            if row.get("deprecated") or not row.get("active", True):
                self._differ(f"account {account.code} is archived")
            if row["account_type"] != account.type:
                self._differ(f"account {account.code} is {row['account_type']}, the plan says {account.type}")
            fixed = row["currency_id"][1] if row["currency_id"] else ""
            if account.currency and fixed and fixed != account.currency:
                self._differ(f"account {account.code} is kept in {fixed}, the plan says {account.currency}")
            allow = account.reconcile and not row["reconcile"]
            apply = partial(self._write, "account.account", row["id"], {"reconcile": True}) if allow else None
            yield _Todo("account", account.code, row["id"], account.role, apply)

    def _make_account(self, account: PlannedAccount) -> int:
        cells = {"code": account.code, "name": account.name, "account_type": account.type}
        cells["reconcile"] = str(account.reconcile)
        if account.currency:
            cells["currency_id/.id"] = str(self._currency_ids[account.currency])
        return self._load("account.account", f"account_{account.code}", [cells])

    def _journals(self) -> Iterator[_Todo]:
        codes = [journal.code for journal in self._plan.journals]
        fields = ["code", "type", "active", "default_account_id", "suspense_account_id"]
        rows = self._by("account.journal", "code", codes, fields)
        for journal in self._plan.journals:
            row = rows.get(journal.code)
            if row is None:
                yield _Todo("journal", journal.code, 0, journal.role, partial(self._make_journal, journal))
                continue
            if not row["active"]:
                self._differ(f"journal {journal.code} is archived")
            if row["type"] != journal.type:
                self._differ(f"journal {journal.code} is of type {row['type']}, the plan says {journal.type}")
            # Only a bank journal's accounts decide where a statement line is booked; elsewhere lines name their own.
            books_money = journal.type in ("bank", "cash")
            for column, code in (("default_account_id", journal.account), ("suspense_account_id", journal.suspense)):
                if books_money and code and _id(row[column]) != self._accounts.get(code):
                    self._differ(f"journal {journal.code}: its {column} is not the account {code}")
            yield _Todo("journal", journal.code, row["id"], journal.role)

    def _make_journal(self, journal: PlannedJournal) -> int:
        # A column that is given empty wins over Odoo's default (a bank journal would lose its suspense account).
        cells = {"code": journal.code, "name": journal.name, "type": journal.type}
        if journal.account:
            cells["default_account_id/.id"] = str(self._accounts[journal.account])
        if journal.suspense:
            cells["suspense_account_id/.id"] = str(self._accounts[journal.suspense])
        return self._load("account.journal", f"journal_{journal.code}", [cells])

    def _taxes(self) -> Iterator[_Todo]:
        for tax in self._plan.taxes:
            found = self._known(_slug(f"tax_{tax.code}"), "account.tax") or self._tax_by_name(tax)
            if not found:
                yield _Todo("tax", tax.code, 0, tax.name, partial(self._make_tax, tax))
                continue
            row = self._find("account.tax", [["id", "=", found]], ["amount", "amount_type", "active"])[0]
            if not row["active"]:
                self._differ(f"tax {tax.code} is archived")
            if row["amount_type"] != "percent" or Decimal(str(row["amount"])) != Decimal(tax.percent):
                self._differ(f"tax {tax.code} is not {tax.percent} percent")
            domain = [["tax_id", "=", found], ["repartition_type", "=", "tax"]]
            for line in self._find("account.tax.repartition.line", domain, ["account_id", "document_type"]):
                # Without an account Odoo books the tax into revenue and says nothing.
                if _id(line["account_id"]) != self._accounts.get(tax.account):
                    self._differ(
                        f"tax {tax.code}: its {line['document_type']} line is not on the account {tax.account}"
                    )
            yield _Todo("tax", tax.code, found, tax.name)

    def _tax_by_name(self, tax: PlannedTax) -> int:
        rows = self._find("account.tax", [["name", "=", tax.name], ["type_tax_use", "=", tax.use]], ["name"])
        return rows[0]["id"] if rows else 0

    def _make_tax(self, tax: PlannedTax) -> int:
        head = {"name": tax.name, "amount": tax.percent, "amount_type": "percent", "type_tax_use": tax.use}
        base: dict[str, str] = {}
        on_account: dict[str, str] = {}
        for document in ("invoice", "refund"):
            line = f"{document}_repartition_line_ids"
            base |= {f"{line}/repartition_type": "base", f"{line}/account_id/.id": ""}
            account = str(self._accounts[tax.account])
            on_account |= {f"{line}/repartition_type": "tax", f"{line}/account_id/.id": account}
        return self._load("account.tax", f"tax_{tax.code}", [head | base, on_account])

    def _company_accounts(self, company: Mapping[str, Json]) -> Iterator[_Todo]:
        wanted = [
            ("income_currency_exchange_account_id", self._plan.exchange),
            ("expense_currency_exchange_account_id", self._plan.exchange),
            ("transfer_account_id", self._plan.transfer),
        ]
        for column, code in wanted:
            if code:
                same = _id(company[column]) == self._accounts.get(code, -1)
                apply = None if same else partial(self._set_company_account, company["id"], column, code)
                yield _Todo("company", column, company["id"], code, apply)

    def _set_company_account(self, company_id: int, column: str, code: str) -> int:
        return self._write("res.company", company_id, {column: self._accounts[code]})

    def _partners(self) -> Iterator[_Todo]:
        for partner in self._plan.partners:
            found = self._known(_slug(f"partner_{partner.key}"), "res.partner") or self._partner_by_name(partner)
            apply = None if found else partial(self._make_partner, partner)
            yield _Todo("partner", partner.key, found, partner.name, apply)

    def _partner_by_name(self, partner: PlannedPartner) -> int:
        rows = self._find("res.partner", [["name", "=", partner.name]], ["name"])
        if len(rows) > 1:
            self._differ(f"several partners are named {partner.name}")
        return int(rows[0]["id"]) if rows else 0

    def _make_partner(self, partner: PlannedPartner) -> int:
        cells = {"name": partner.name, "is_company": str(partner.company)}
        return self._load("res.partner", f"partner_{partner.key}", [cells])

    # --- users ---------------------------------------------------------------------------------------------------

    def _users(self) -> Iterator[_Todo]:
        column = self._groups_column()
        for user in self._plan.users:
            groups = [self._group(name) for name in user.groups]
            rows = self._find("res.users", [["login", "=", user.login]], [column, "active"])
            if not rows:
                if not self._passwords.get(user.login):
                    self._differ(f"the user {user.login} is not there yet: give a password to make it with")
                make = partial(self._make_user, user, column, groups)
                yield _Todo("user", user.login, 0, ", ".join(user.groups), make)
                continue
            held = set(rows[0][column])
            enough = held == set(groups) or (set(groups) <= held <= self._implied(groups))
            exact = enough and rows[0]["active"]
            values = {column: [[6, 0, groups]], "active": True}
            apply = None if exact else partial(self._write, "res.users", rows[0]["id"], values)
            yield _Todo("user", user.login, rows[0]["id"], ", ".join(user.groups), apply)

    def _make_user(self, user: PlannedUser, column: str, groups: list[int]) -> int:
        values = {"name": user.name, "login": user.login, column: [[6, 0, groups]]}
        made: int = self._odoo.execute("res.users", "create", [values | {"password": self._passwords[user.login]}])
        return made

    def _groups_column(self) -> str:
        fields = self._odoo.execute("res.users", "fields_get", [["groups_id", "group_ids"]], {"attributes": ["type"]})
        return "group_ids" if "group_ids" in fields else "groups_id"

    def _group(self, name: str) -> int:
        module, _, group = name.partition(".")
        found = self._known(group, "res.groups", module)
        if not found:
            self._differ(f"Odoo does not know the group {name}")
        return found

    def _implied(self, groups: list[int]) -> set[int]:
        """The groups with all that they bring along: Odoo 18 writes those out on the user, 19 does not."""
        held: set[int] = set()
        waiting = [group for group in groups if group]
        while waiting:
            held.update(waiting)
            rows = self._find("res.groups", [["id", "in", waiting]], ["implied_ids"])
            waiting = [group for row in rows for group in row["implied_ids"] if group not in held]
        return held

    # --- Odoo ----------------------------------------------------------------------------------------------------

    def _differ(self, difference: str) -> None:
        self._differences.append(difference)

    def _own_id(self) -> int:
        context: dict[str, Json] = self._odoo.execute("res.users", "context_get", [])
        return int(context["uid"])

    def _find(self, model: str, domain: Json, fields: list[str]) -> list[dict[str, Json]]:
        """The records, inactive ones too: an archived account or user still holds its code or login."""
        options = {"fields": fields, "context": {"active_test": False}}
        rows: list[dict[str, Json]] = self._odoo.execute(model, "search_read", [domain], options)
        return rows

    def _by(self, model: str, key: str, values: list[str], fields: list[str]) -> dict[str, dict[str, Json]]:
        return {row[key]: row for row in self._find(model, [[key, "in", values]], fields)}

    def _known(self, name: str, model: str, module: str = MODULE) -> int:
        """The id under an external id of ours (or of another module), 0 if there is none."""
        domain = [["module", "=", module], ["name", "=", name], ["model", "=", model]]
        rows = self._find("ir.model.data", domain, ["res_id"])
        return int(rows[0]["res_id"]) if rows else 0

    def _write(self, model: str, record: int, values: Mapping[str, Json]) -> int:
        self._odoo.execute(model, "write", [[record], dict(values)])
        return record

    def _load(self, model: str, key: str, rows: Sequence[Mapping[str, str]]) -> int:
        """Make one record of one or more rows under the external id of `key`; returns its id."""
        columns = list(dict.fromkeys(column for row in rows for column in row))
        external = f"{MODULE}.{_slug(key)}"
        cells = [[external if index == 0 else ""] for index in range(len(rows))]
        table = [[*cells[index], *(row.get(column, "") for column in columns)] for index, row in enumerate(rows)]
        answer = self._odoo.execute(model, "load", [["id", *columns], table])
        if not answer["ids"]:
            texts = " ".join(str(message.get("message", "")) for message in answer["messages"])
            raise SetupRefused(f"{key}: {texts}")
        return int(answer["ids"][0])


def _id(link: Json) -> int:
    return int(link[0]) if link else 0


def _slug(key: str) -> str:
    """A key as an external id may spell it: any byte but A-Z, a-z, 0-9 and _ becomes - and two hex digits."""
    return "".join(chr(b) if (chr(b).isalnum() and b < 128) or b == 0x5F else f"-{b:02x}" for b in key.encode())
