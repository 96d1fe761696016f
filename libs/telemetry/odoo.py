"""An Odoo port that is traced and timed, around any adapter."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol

from opentelemetry.trace import SpanKind

from libs.telemetry import names
from libs.telemetry.metrics import Metrics
from libs.telemetry.trace import Step, Tracer


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
        step = self._tracer.technical(f"odoo {model}.{method}", attributes, kind=SpanKind.CLIENT)
        with step, _Timed(self._metrics, model, method, step, self._company):
            return self._odoo.execute(model, method, args, kwargs)


def of_company(odoo: _Odoo, company: str) -> _Odoo:
    """`odoo` for calls that concern one company's books alone; as it is where nobody traces it."""
    return odoo.of_company(company) if isinstance(odoo, TracedOdoo) else odoo


class _Timed:
    """Measures a call, whatever becomes of it."""

    def __init__(self, metrics: Metrics, model: str, method: str, step: Step, company: str) -> None:
        self._metrics = metrics
        self._model = model
        self._method = method
        self._step = step
        self._company = company
        self._began = time.perf_counter()

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # By our own class, which says what may have happened; Odoo's texts are translated and name people.
        outcome = "ok" if kind is None else kind.__name__
        self._step.set(names.ODOO_OUTCOME, outcome)
        seconds = time.perf_counter() - self._began
        self._metrics.odoo_call(seconds, self._model, self._method, outcome, self._company)
