"""A connection to Odoo that is made when it is first needed: the ledger starts and records while Odoo is down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from libs.odoo.port import Json, Odoo


class LazyOdoo:
    """An `Odoo` that asks `connect` for the real one at the first call, and again until it answers."""

    def __init__(self, connect: Callable[[], Odoo]) -> None:
        self._connect = connect
        self._odoo: Odoo | None = None
        self._guard = threading.Lock()

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """See `libs.odoo.port.Odoo`; `OdooUnavailable` also while no connection can be made."""
        return self._connected().execute(model, method, args, kwargs)

    def _connected(self) -> Odoo:
        with self._guard:
            if self._odoo is None:
                self._odoo = self._connect()
            return self._odoo
