"""An Odoo port that is traced and timed, around any adapter."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from opentelemetry.trace import SpanKind

from libs.telemetry import names
from libs.telemetry.metrics import Metrics
from libs.telemetry.trace import Tracer


class _Odoo(Protocol):
    """`libs.odoo.port.Odoo`, said again so that telemetry depends on no adapter's package."""

    def execute(self, model: str, method: str, args: list[Any], kwargs: Mapping[str, Any] | None = None) -> Any: ...


class TracedOdoo:
    """Adds to each call a technical span and its latency by model, method and outcome. A `libs.odoo.port.Odoo`."""

    def __init__(self, odoo: _Odoo, tracer: Tracer, metrics: Metrics, company: str = "") -> None:
        self._odoo = odoo
        self._tracer = tracer
        self._metrics = metrics
        self._company = company

    def of_company(self, company: str) -> TracedOdoo:
        """The same port, for calls that concern this company's books alone."""
        return TracedOdoo(self._odoo, self._tracer, self._metrics, company)

    def execute(self, model: str, method: str, args: list[Any], kwargs: Mapping[str, Any] | None = None) -> Any:
        attributes = {names.ODOO_MODEL: model, names.ODOO_METHOD: method}
        if self._company:
            attributes[names.COMPANY] = self._company
        began = time.perf_counter()
        outcome = "ok"
        with self._tracer.technical(f"odoo {model}.{method}", attributes, kind=SpanKind.CLIENT) as step:
            try:
                return self._odoo.execute(model, method, args, kwargs)
            except BaseException as error:
                # By our own class, which says what may have happened; Odoo's texts are translated and name people.
                outcome = type(error).__name__
                raise
            finally:
                step.set(names.ODOO_OUTCOME, outcome)
                self._metrics.odoo_call(time.perf_counter() - began, model, method, outcome, self._company)


def of_company(odoo: _Odoo, company: str) -> _Odoo:
    """`odoo` for calls that concern one company's books alone; as it is where nobody traces it."""
    return odoo.of_company(company) if isinstance(odoo, TracedOdoo) else odoo
