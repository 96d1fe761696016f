"""A Prometheus endpoint."""

from __future__ import annotations

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricReader
from prometheus_client import CollectorRegistry, start_http_server


class Scrape:
    """The metrics of one service in a registry of its own, served over HTTP (any path) at `listen`."""

    def __init__(self, listen: str) -> None:
        """Raises OSError if the port is taken. The endpoint shows counts only, but bind it to where it is scraped."""
        registry = CollectorRegistry()
        self.reader: MetricReader = PrometheusMetricReader(scope_info_enabled=False, registry=registry)
        host, _, port = listen.rpartition(":")
        self._server, self._thread = start_http_server(int(port), host.strip("[]") or "127.0.0.1", registry)
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
