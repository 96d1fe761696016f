"""Which live server the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "CONCORD_TEST_ODOO_"
INTEGRATION_GROUPS = ("account.group_account_invoice", "account.group_account_basic")
_NAMES = ("URL", "DB", "USER", "PASSWORD", "ADMIN_USER", "ADMIN_PASSWORD")


@dataclass(frozen=True, slots=True)
class Server:
    """A database on an Odoo server, with the logins of our user and of an administrator."""

    url: str
    database: str
    user: str
    password: str
    admin_user: str
    admin_password: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Server:
        return cls(*(env[PREFIX + name] for name in _NAMES))


def missing_variables(env: Mapping[str, str]) -> list[str]:
    """The variables that a live run needs and the environment does not have."""
    return [PREFIX + name for name in _NAMES if not env.get(PREFIX + name)]
