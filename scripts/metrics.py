"""Writes docs/metrics.md from `libs/telemetry/catalogue.py`: `python -m scripts.metrics`."""

from __future__ import annotations

from pathlib import Path

from libs.telemetry.catalogue import FIGURES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
HEAD = """# Metrics

What the services count and measure: counts and times, never amounts. Written by `python -m scripts.metrics` from
`libs/telemetry/catalogue.py`; a test compares them.

- **OTLP**: set `OTEL_EXPORTER_OTLP_ENDPOINT`; nothing is exported without it.
- **Prometheus**: set `CONCORD_{SERVICE}_METRICS_LISTEN`, one a service, to `HOST:PORT`; any path answers.

A label that does not apply to an item is left out. Prometheus writes the dots of labels as underscores
(`concord_company`). `concord.interface` is `{provider}/{account}`; a reason is stable, the same as in the APIs.

| Prometheus | OTLP | kind | labels | what it is |
| --- | --- | --- | --- | --- |
"""


def render() -> str:
    """The whole document."""
    rows = [
        f"| `{one.prometheus_name}` | `{one.name}` | {one.kind.value} | "
        f"{', '.join(f'`{label}`' for label in one.labels) or 'none'} | {one.description} |"
        for one in FIGURES.values()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(render())
