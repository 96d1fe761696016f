"""An Odoo that fails as networks do."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from libs.odoo.errors import OdooConflict, OdooOutcomeUnknown, OdooUnavailable
from libs.odoo.port import Json, Odoo

_CONFLICT = "could not serialize access due to concurrent update\n"


class LossyTransport:
    """Wraps an `Odoo` and fails by chance, with the errors that a network would give.

    Each rate is a probability per call. `lose_reply`: executed, the answer is lost.
    `lose_request`: not executed, but the caller cannot tell. `refuse`: nobody listens.
    `conflict`: a concurrent change won; `load` tells it as text, the rest as an error.
    While `down` is set, every call is refused.
    """

    def __init__(
        self,
        odoo: Odoo,
        rng: random.Random,
        *,
        lose_reply: float = 0.0,
        lose_request: float = 0.0,
        refuse: float = 0.0,
        conflict: float = 0.0,
    ) -> None:
        self._odoo = odoo
        self._rng = rng
        self._lose_reply = lose_reply
        self._lose_request = lose_request
        self._refuse = refuse
        self._conflict = conflict
        self.down = False
        self.injected: dict[str, int] = {"lose_reply": 0, "lose_request": 0, "refuse": 0, "conflict": 0}

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """See `libs.odoo.port.Odoo.execute`."""
        if self.down or self._strikes("refuse", self._refuse):
            raise OdooUnavailable("ConnectionRefused")
        if self._strikes("lose_request", self._lose_request):
            raise OdooOutcomeUnknown("RequestLost")
        if self._strikes("conflict", self._conflict):
            return self._conflicting(method, args)
        result = self._odoo.execute(model, method, args, kwargs)
        if self._strikes("lose_reply", self._lose_reply):
            raise OdooOutcomeUnknown("ReplyLost")
        return result

    def _strikes(self, fault: str, rate: float) -> bool:
        # One draw a fault and call, whatever the rate: the same seed gives the same faults.
        struck = self._rng.random() < rate
        self.injected[fault] += struck
        return struck

    def _conflicting(self, method: str, args: list[Any]) -> Json:
        if method != "load":
            raise OdooConflict("psycopg2.errors.SerializationFailure", _CONFLICT)
        rows = len(args[1]) if len(args) > 1 else 1
        message = {"rows": {"from": 0, "to": rows - 1}, "record": 0, "type": "error", "message": _CONFLICT}
        return {"ids": False, "messages": [message], "nextrow": 0}
