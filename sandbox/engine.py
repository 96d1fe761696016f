"""The sandbox itself: one company's books, and Odoo's external API on them without a network.

A stand-in for evaluation and tests: it follows what was recorded of Odoo Community 18 and
19 for the models that Concord uses, and says so where it does not. Deterministic: the
clock is an argument, ids count up, nothing is random.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from . import access, catalogue, masters
from .env import Env
from .failures import ServerFailure, access_denied, access_error, attribute_error, missing_error, type_error
from .store import SqliteStore

Clock = Callable[[], datetime]


class Sandbox:
    """Books in SQLite, in a file or in memory. Calls are serialised; each is one transaction.

    `clock` gives aware UTC instants; only its day matters to the books.
    """

    def __init__(self, path: str, clock: Clock, version: int = 18, database: str = "sandbox") -> None:
        if version not in (18, 19):
            raise ValueError(f"the sandbox imitates Odoo 18 and 19, not {version}")
        self.version = version
        self.database = database
        self._clock = clock
        self._lock = threading.RLock()
        self._store = SqliteStore(path, version)
        self._store.create_tables()
        self._groups: dict[int, frozenset[str]] = {}
        self._check_version(version)

    def _check_version(self, version: int) -> None:
        kept = self._store.one("SELECT version FROM sandbox")
        if kept is None:
            self._store.db.execute("INSERT INTO sandbox (version) VALUES (?)", (version,))
        elif kept != version:
            raise ValueError(f"these books are of Odoo {kept}, not of {version}")

    @property
    def is_empty(self) -> bool:
        """Whether no company has been made yet (see `seed.bootstrap`)."""
        return self._store.one("SELECT 1 FROM res_company") is None

    @property
    def store(self) -> SqliteStore:
        """The books themselves: for seeding and for tests that look behind the API."""
        return self._store

    def copy(self, clock: Clock | None = None) -> Sandbox:
        """The same books in memory, on their own: cheap enough for one per simulated world."""
        twin = Sandbox.__new__(Sandbox)
        twin.version, twin.database = self.version, self.database
        twin._clock = clock or self._clock
        twin._lock = threading.RLock()
        twin._groups = {}
        twin._store = SqliteStore(":memory:", self.version)
        with self._lock:
            self._store.db.backup(twin._store.db)
        return twin

    def close(self) -> None:
        with self._lock:
            self._store.db.close()

    def authenticate(self, login: str, secret: str) -> int | None:
        """The user's id, or nothing: as in Odoo, a wrong password is not an error."""
        with self._lock:
            return masters.authenticate(self._store, login, secret)

    def authorise(self, user_id: int, secret: str) -> None:
        """What every `execute_kw` checks first."""
        with self._lock:
            row = self._store.get("res_users", user_id)
            if row is None:
                raise missing_error("res.users", user_id, user_id)
            if not row["active"] or not masters.holds(self._store, user_id, row["password"], secret):
                raise access_denied()

    def user_of_key(self, key: str) -> int | None:
        with self._lock:
            return masters.user_of_key(self._store, key)

    def add_api_key(self, login: str, key: str) -> None:
        """Let a key open a user's account, besides the password. The caller makes the key."""
        with self._lock:
            user_id = self.user_id(login)
            masters.add_key(self._store, user_id, key)

    def user_id(self, login: str) -> int:
        found = self._store.one("SELECT id FROM res_users WHERE login = ?", (login,))
        if found is None:
            raise LookupError(f"no user {login}")
        return int(found)

    def execute(
        self, user: int | str, model: str, method: str, args: list[Any], kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """One call as one transaction. Raises `ServerFailure` with Odoo's class and words."""
        with self._lock:
            uid = self.user_id(user) if isinstance(user, str) else user
            named = dict(kwargs or {})
            context = named.pop("context", None) or {}
            env = Env(self._store, self.version, self._clock(), uid, self._groups_of(uid), context)
            function = find_method(env, model, method)
            with self._store.transaction():
                result = _call(function, env, model, method, args, named)
            if model in ("res.users", "res.groups", "ir.model.data") and method not in catalogue.READING:
                self._groups.clear()
            return result

    def _groups_of(self, uid: int) -> frozenset[str]:
        found = self._groups.get(uid)
        if found is None:
            found = self._groups[uid] = access.groups_of(self._store, uid)
        return found


def find_method(env: Env, model: str, method: str) -> catalogue.Method:
    """The method, or Odoo's word for why there is none."""
    env.model(model)
    if method.startswith("_"):
        raise access_error(f"Private methods (such as '{model}.{method}') cannot be called remotely.")
    found = catalogue.method_of(env.version, model, method)
    if found is None:
        raise attribute_error(f"The method '{model}.{method}' does not exist")
    return found


def _call(found: catalogue.Method, env: Env, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        bound = found.bind(model, method, args, kwargs)
    except TypeError as error:
        raise type_error(str(error)) from None
    try:
        return found.run(env, model, **bound)
    except sqlite3.IntegrityError as error:
        raise ServerFailure("odoo.exceptions.ValidationError", f"The operation cannot be completed: {error}") from None
