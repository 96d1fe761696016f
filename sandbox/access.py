"""Who may do what: Odoo's groups as far as the models here need them."""

from __future__ import annotations

from .env import ROBOT, Env
from .failures import access_error
from .store import SqliteStore

USER = "base.group_user"
SYSTEM = "base.group_system"
RIGHTS = "base.group_erp_manager"
CONTACTS = "base.group_partner_manager"
INVOICE = "account.group_account_invoice"
BASIC = "account.group_account_basic"
READONLY = "account.group_account_readonly"
MANAGER = "account.group_account_manager"

# external id: (its name in 18, its name in 19, the groups that it implies)
GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    USER: ("User types/Internal User", "Role / User", ()),
    RIGHTS: ("Administration/Access Rights", "Access Rights", (USER,)),
    SYSTEM: ("Administration/Settings", "Role / Administrator", (RIGHTS,)),
    CONTACTS: ("Extra Rights/Contact Creation", "Contact/Creation", ()),
    INVOICE: ("Invoicing/Invoicing", "Accounting/Invoicing", (USER,)),
    BASIC: ("Technical/Basic", "Basic", ()),
    READONLY: (
        "Technical/Show Accounting Features - Readonly",
        "Show Accounting Features - Readonly",
        (USER,),
    ),
    MANAGER: ("Invoicing/Administrator", "Accounting/Administrator", (INVOICE,)),
}

_BOOKS = (INVOICE, READONLY)
_READ: dict[str, tuple[str, ...]] = {
    "account.journal": (INVOICE, READONLY),
    "account.tax": (INVOICE, READONLY),
    "account.tax.group": (INVOICE, READONLY),
    "account.tax.repartition.line": (INVOICE, READONLY),
    "account.move": _BOOKS,
    "account.move.line": _BOOKS,
    "account.partial.reconcile": _BOOKS,
    "account.full.reconcile": _BOOKS,
    "account.bank.statement": (INVOICE, BASIC, READONLY),
    "account.bank.statement.line": (INVOICE, BASIC, READONLY),
    "account.move.reversal": (INVOICE,),
    "account.lock_exception": (MANAGER,),
    "ir.model.data": (RIGHTS,),
}
_CHANGE: dict[str, tuple[str, ...]] = {
    "account.account": (MANAGER,),
    "account.journal": (MANAGER,),
    "account.tax": (MANAGER,),
    "account.tax.group": (MANAGER,),
    "account.tax.repartition.line": (MANAGER,),
    "account.move": (INVOICE,),
    "account.move.line": (INVOICE,),
    "account.bank.statement": (BASIC,),
    "account.bank.statement.line": (BASIC,),
    "account.move.reversal": (INVOICE,),
    "account.lock_exception": (MANAGER,),
    "ir.model.data": (RIGHTS,),
    "product.product": (MANAGER,),
    "res.company": (RIGHTS,),
    "res.currency": (SYSTEM, MANAGER),
    "res.currency.rate": (SYSTEM, MANAGER),
    "res.groups": (RIGHTS,),
    "res.partner": (CONTACTS,),
    "res.users": (RIGHTS,),
}
_VERBS = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


def check(env: Env, model: str, operation: str) -> None:
    """Raise Odoo's AccessError unless one of the user's groups allows the operation."""
    if env.uid == ROBOT:
        return
    allowed = (_READ.get(model, (USER,))) if operation == "read" else _CHANGE.get(model, ())
    if env.groups.intersection(allowed):
        return
    label = env.model(model).label
    text = f"You are not allowed to {_VERBS[operation]} '{label}' ({model}) records.\n\n"
    if allowed:
        names = sorted(GROUPS[group][0 if env.version < 19 else 1] for group in allowed)
        listed = "".join(f"\t- {name}\n" for name in names)
        text += f"This operation is allowed for the following groups:\n{listed}\n"
    else:
        text += "No group currently allows this operation.\n\n"
    raise access_error(text + "Contact your administrator to request access if necessary.")


def check_may_post(env: Env) -> None:
    if env.uid != ROBOT and INVOICE not in env.groups:
        raise access_error("You don't have the access rights to post an invoice.")


def groups_of(store: SqliteStore, user_id: int) -> frozenset[str]:
    """The user's groups by external id, with all that they imply."""
    rows = store.rows(
        "SELECT d.module || '.' || d.name FROM res_groups_users_rel r JOIN ir_model_data d"
        " ON d.model = 'res.groups' AND d.res_id = r.right_id WHERE r.left_id = ?",
        (user_id,),
    )
    found: set[str] = set()
    waiting = [row[0] for row in rows]
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting.extend(GROUPS.get(group, ("", "", ()))[2])
    return frozenset(found)
