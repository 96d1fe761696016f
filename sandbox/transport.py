"""The port onto a sandbox in the same process."""

from __future__ import annotations

from collections.abc import Mapping

from libs.odoo.errors import error_for
from libs.odoo.port import Json

from .engine import Sandbox
from .failures import ServerFailure


class InProcess:
    """`Odoo` on a sandbox, as one of its users; no sockets, no threads."""

    def __init__(self, sandbox: Sandbox, login: str) -> None:
        self._sandbox = sandbox
        self._user_id = sandbox.user_id(login)
        self.version = sandbox.version

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """See `libs.odoo.port.Odoo.execute`."""
        try:
            return self._sandbox.execute(self._user_id, model, method, args, kwargs)
        except ServerFailure as failure:
            raise error_for(failure.name, failure.message) from None
