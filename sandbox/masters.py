"""What Odoo adds when masters are made or changed: defaults, codes, commercial partners, passwords."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from . import locks, records
from .env import COMPANY, Env
from .failures import beyond_the_sandbox, user_error, validation_error
from .fields import Model
from .identity import register
from .store import SqliteStore

_RECONCILED_BY_TYPE = ("asset_receivable", "liability_payable")


def create(env: Env, model: Model, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """Records of any model that is not a document."""
    maker = _MAKERS.get(model.name)
    if maker:
        return [maker(env, model, dict(values)) for values in vals_list]
    return [records.create(env, model, values) for values in vals_list]


def write(env: Env, model: Model, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    changed = dict(values)
    if model.name == "res.company":
        records.check_fields(env, model, changed)
        row = records.columns(env, model, changed)
        for company in records.need(env, model, ids):
            locks.check_company_write(company, row)
    if model.name == "res.users":
        _hash_password(changed)
    if model.name == "account.account":
        _check_account(env, ids, changed)
    records.write(env, model, ids, changed)
    if model.name == "res.partner":
        for partner_id in ids:
            _complete_partner(env, partner_id)
    return True


def unlink(env: Env, model: Model, ids: Sequence[int]) -> bool:
    if model.name == "account.account":
        for account_id in ids:
            if env.store.one("SELECT 1 FROM account_move_line WHERE account_id = ? LIMIT 1", (account_id,)):
                raise user_error("You cannot perform this action on an account that contains journal items.")
    if model.name == "account.journal":
        for journal_id in ids:
            if env.store.one("SELECT 1 FROM account_move WHERE journal_id = ? LIMIT 1", (journal_id,)):
                raise user_error("You cannot perform this action on a journal that contains journal entries.")
    return records.unlink(env, model, ids)


def _make_account(env: Env, model: Model, values: dict[str, Any]) -> int:
    records.check_fields(env, model, values)
    code = values.get("code")
    if code and env.store.one("SELECT 1 FROM account_account WHERE code = ?", (str(code),)):
        raise validation_error(
            "Account codes must be unique. You can't create accounts with these duplicate codes: " + str(code)
        )
    kind = values["account_type"] = values.get("account_type") or "asset_current"
    reconcile = int(kind in _RECONCILED_BY_TYPE)
    state = {"active": 1} if env.version >= 19 else {"deprecated": 0}
    account_id = records.create(env, model, values, {"reconcile": reconcile, **state})
    _check_account(env, [account_id], values)
    if "company_ids" not in values:
        env.store.link("account_account_res_company_rel", account_id, [COMPANY])
    return account_id


def _check_account(env: Env, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """Receivables and payables are always reconcilable."""
    if values.get("reconcile") in (False, 0, None) and "reconcile" in values:
        for row in env.store.get_all("account_account", list(ids)).values():
            if row["account_type"] in _RECONCILED_BY_TYPE:
                raise validation_error(
                    "You cannot have a receivable/payable account that is not reconcilable. "
                    f"(account code: {row['code']})"
                )


def _make_journal(env: Env, model: Model, values: dict[str, Any]) -> int:
    """A bank or cash journal gets an account of its own and the company's suspense account."""
    records.check_fields(env, model, values)
    kind = values.get("type")
    defaults: dict[str, Any] = {}
    if kind in ("sale", "purchase"):
        defaults["refund_sequence"] = 1
    if kind in ("bank", "cash", "credit"):
        defaults["payment_sequence"] = 1
        defaults["suspense_account_id"] = env.company["account_journal_suspense_account_id"]
        if not values.get("default_account_id"):
            defaults["default_account_id"] = _make_bank_account(env, str(values.get("name")), str(kind))
    if not values.get("code"):
        raise beyond_the_sandbox("journals that find their own code")
    return records.create(env, model, values, defaults)


def _make_bank_account(env: Env, name: str, kind: str) -> int:
    prefix = str(env.company["bank_account_code_prefix"] or "1014")
    taken = {row["code"] for row in env.store.where("account_account")}
    code = next(code for number in range(1, 10_000) if (code := f"{prefix}{number:02d}") not in taken)
    account_type = "liability_credit_card" if kind == "credit" else "asset_cash"
    return _make_account(env, env.model("account.account"), {"code": code, "name": name, "account_type": account_type})


def _make_tax(env: Env, model: Model, values: dict[str, Any]) -> int:
    """Without a distribution of its own a tax has lines without an account: it posts onto the line's account."""
    tax_id = records.create(env, model, values)
    if "repartition_line_ids" not in values:
        target = env.model("account.tax.repartition.line")
        for kind in ("invoice", "refund"):
            if f"{kind}_repartition_line_ids" not in values:
                for part in ("base", "tax"):
                    line = {"tax_id": tax_id, "document_type": kind, "repartition_type": part}
                    records.create(env, target, line)
    return tax_id


def _make_partner(env: Env, model: Model, values: dict[str, Any]) -> int:
    partner_id = records.create(env, model, values, _default_accounts(env))
    _complete_partner(env, partner_id)
    return partner_id


def _default_accounts(env: Env) -> dict[str, Any]:
    """The chart's receivable and payable, which every partner has who is given no other."""
    found = {}
    for name, kind in (("receivable", "asset_receivable"), ("payable", "liability_payable")):
        statement = "SELECT id FROM account_account WHERE account_type = ? ORDER BY code LIMIT 1"
        found[f"property_account_{name}_id"] = env.store.one(statement, (kind,))
    return found


def _complete_partner(env: Env, partner_id: int) -> None:
    """A contact's documents are its company's: the commercial partner is the top of the tree."""
    row = env.store.need("res_partner", partner_id)
    parent = env.store.get("res_partner", row["parent_id"])
    commercial = partner_id if row["is_company"] or parent is None else parent["commercial_partner_id"]
    name = row["name"] or ""
    complete = f"{parent['name']}, {name}" if parent and not row["is_company"] else name
    env.store.update("res_partner", partner_id, {"commercial_partner_id": commercial, "complete_name": complete})
    for child in env.store.rows("SELECT id FROM res_partner WHERE parent_id = ?", (partner_id,)):
        _complete_partner(env, child[0])


def _make_user(env: Env, model: Model, values: dict[str, Any]) -> int:
    _hash_password(values)
    groups = env.texts("groups_id", "group_ids")
    partner = _make_partner(env, env.model("res.partner"), {"name": values.get("name"), "email": values.get("email")})
    values.pop("email", None)
    user_id = records.create(env, model, values, {"partner_id": partner})
    if groups not in values:
        user = env.store.one("SELECT res_id FROM ir_model_data WHERE module = 'base' AND name = 'group_user'")
        env.store.link("res_groups_users_rel", user_id, [user])
    return user_id


def _make_data(env: Env, model: Model, values: dict[str, Any]) -> int:
    records.check_fields(env, model, values)
    return register(env, values["module"], values["name"], values["model"], int(values.get("res_id") or 0))


def _make_rate(env: Env, model: Model, values: dict[str, Any]) -> int:
    if values.get("inverse_company_rate"):
        values["rate"] = 1.0 / float(values["inverse_company_rate"])
    elif values.get("company_rate"):
        values["rate"] = float(values["company_rate"])
    values.setdefault("name", env.today)
    return records.create(env, model, values)


def _hash_password(values: dict[str, Any]) -> None:
    if values.get("password"):
        values["password"] = hashed(str(values["password"]), str(values.get("login") or "concord"))


def hashed(password: str, salt: str) -> str:
    """A salted digest: enough for a stand-in that holds no one's real password."""
    return f"{salt}${hashlib.sha256(f'{salt}${password}'.encode()).hexdigest()}"


def authenticate(store: SqliteStore, login: str, secret: str) -> int | None:
    """The user's id if the secret is their password or one of their API keys."""
    row = store.db.execute("SELECT id, password FROM res_users WHERE login = ? AND active = 1", (login,)).fetchone()
    if row is None or not secret:
        return None
    return int(row["id"]) if holds(store, row["id"], row["password"], secret) else None


def holds(store: SqliteStore, user_id: int, password: str | None, secret: str) -> bool:
    """Whether the secret opens this user's account."""
    kept = password or ""
    salt = kept.partition("$")[0]
    if kept and hmac.compare_digest(kept, hashed(secret, salt)):
        return True
    return user_of_key(store, secret) == user_id


def user_of_key(store: SqliteStore, key: str) -> int | None:
    """The user that an API key belongs to."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    found = store.one("SELECT user_id FROM api_key WHERE digest = ?", (digest,))
    return int(found) if found is not None else None


def add_key(store: SqliteStore, user_id: int, key: str) -> None:
    digest = hashlib.sha256(key.encode()).hexdigest()
    store.db.execute("INSERT OR REPLACE INTO api_key (digest, user_id) VALUES (?, ?)", (digest, user_id))


_MAKERS = {
    "account.account": _make_account,
    "account.journal": _make_journal,
    "account.tax": _make_tax,
    "res.partner": _make_partner,
    "res.users": _make_user,
    "ir.model.data": _make_data,
    "res.currency.rate": _make_rate,
}
