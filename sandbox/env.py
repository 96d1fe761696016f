"""Who calls, when, on which books: what every rule of the sandbox takes as its first argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .failures import ServerFailure, user_error
from .fields import Model
from .store import Row, SqliteStore

COMPANY = 1  # the sandbox keeps one company's books
ROBOT = 1  # Odoo's own user, who may do everything


@dataclass(slots=True)
class Env:
    """One call's surroundings. `now` is aware UTC; `groups` holds external ids, implied ones too."""

    store: SqliteStore
    version: int
    now: datetime
    uid: int
    groups: frozenset[str] = frozenset()
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> str:
        return self.now.date().isoformat()

    @property
    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%d %H:%M:%S")

    @property
    def company(self) -> Row:
        return self.store.need("res_company", COMPANY)

    def model(self, name: str) -> Model:
        found = self.store.schema.get(name)
        if found is None:
            raise user_error(f"Object {name} doesn't exist")
        return found

    def with_context(self, **values: Any) -> Env:
        return Env(self.store, self.version, self.now, self.uid, self.groups, {**self.context, **values})

    def texts(self, at_18: str, at_19: str) -> str:
        """The wording of this version."""
        return at_18 if self.version < 19 else at_19

    def unknown_field(self, model: str, name: str, reading: bool = False) -> ServerFailure:
        """Odoo 19 words it differently, but not for one2many lines."""
        if self.version < 19 or model == "account.move.line":
            where = f"on model '{model}'"
        else:
            where = f"on '{model}'" if reading else f"in '{model}'"
        return ServerFailure("builtins.ValueError", f"Invalid field '{name}' {where}")
