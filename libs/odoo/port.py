"""What Concord needs of Odoo: one call, whoever carries it.

`libs.odoo.connect` chooses the adapter (JSON-RPC or JSON-2); the sandbox and its lossy
transport fulfil the same protocol, so that a worker cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = Any  # a JSON value as Odoo takes and gives it: the edge, not the domain


class Odoo(Protocol):
    """One authenticated user on one Odoo database. Safe to share between threads."""

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """Call `method` of `model`; one call is one transaction in Odoo.

        Raises a subclass of `libs.odoo.errors.OdooError`, which alone says whether
        anything may have happened: only after `OdooOutcomeUnknown` must the caller look.
        """
        ...
