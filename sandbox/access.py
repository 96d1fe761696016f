"""Who may do what: Odoo's groups as far as the models here need them."""

from __future__ import annotations

from .env import ROBOT, Env
from .failures import access_error
from .fields import ANY_USER
from .store import SqliteStore

INVOICE = "account.group_account_invoice"

# external id: (its name in 18, its name in 19, the groups that it implies)
GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    ANY_USER: ("User types/Internal User", "Role / User", ()),
    "base.group_erp_manager": ("Administration/Access Rights", "Access Rights", (ANY_USER,)),
    "base.group_system": ("Administration/Settings", "Role / Administrator", ("base.group_erp_manager",)),
    "base.group_partner_manager": ("Extra Rights/Contact Creation", "Contact/Creation", ()),
    INVOICE: ("Invoicing/Invoicing", "Accounting/Invoicing", (ANY_USER,)),
    "account.group_account_basic": ("Technical/Basic", "Basic", ()),
    "account.group_account_readonly": (
        "Technical/Show Accounting Features - Readonly",
        "Show Accounting Features - Readonly",
        (ANY_USER,),
    ),
    "account.group_account_manager": ("Invoicing/Administrator", "Accounting/Administrator", (INVOICE,)),
}
_VERBS = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


def check(env: Env, model: str, operation: str) -> None:
    """Raise Odoo's AccessError unless one of the user's groups allows the operation."""
    if env.uid == ROBOT:
        return
    known = env.model(model)
    allowed = known.read if operation == "read" else known.change
    if env.groups.intersection(allowed):
        return
    text = f"You are not allowed to {_VERBS[operation]} '{known.label}' ({model}) records.\n\n"
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
