"""All four services on one machine, supervised, on embedded defaults: what `concord up` and `concord demo` run.

A folder holds everything: databases, keys, logs, and `suite.json` with the addresses, by which the other
commands find the suite. A service that dies is started again; SIGTERM stops all in order.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from libs.errors import ConcordError, Kind

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
RESTART_PAUSES = (0.2, 1.0, 5.0, 15.0)  # seconds after the first, second … death in a row
CALM_SECONDS = 60.0  # alive for so long, a service has recovered
SERVICES = ("gateway", "masterdata", "ledger", "recon")
PORTS = {"gateway": 50051, "masterdata": 50052, "ledger": 50053, "recon": 50054, "http": 8080, "sandbox": 8069}


class SuiteFailed(ConcordError):
    """The suite can't start or a part of it won't stay up; the log that says why is named."""

    kind = Kind.RETRY
    reason = "SUITE_FAILED"


class PortTaken(ConcordError):
    """A default port is in use."""

    kind = Kind.PRECONDITION
    reason = "PORT_TAKEN"


@dataclass
class Child:
    """One process of the suite."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    log: IO[bytes] | None = field(default=None, repr=False)

    def start(self, logs: Path) -> None:
        if self.log is None:
            self.log = (logs / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603 - our own modules, by the running interpreter
            [sys.executable, *self.arguments],
            env=dict(self.environment),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops all in order
        )
        self.started_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        if self.process is None:
            return
        if self.is_alive:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.log is not None:
            self.log.close()
            self.log = None


class Suite:
    """The four services, and the sandbox where no Odoo is named. Start it, watch it, stop it."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        free_ports: bool = False,
        sources: Path | None = None,
        sandbox_faults: bool = False,
        replicas: int = 1,
    ) -> None:
        """`replicas` processes of each service share one database: PostgreSQL only."""
        self.folder = folder
        self._replicas = replicas
        self._twins = {name: _free_ports(replicas - 1) for name in (*SERVICES, "http")}
        self.ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True)) if free_ports else dict(PORTS)
        self._outer = environment
        self._sources = sources
        self._sandbox_faults = sandbox_faults
        self.uses_sandbox = not environment.get("CONCORD_ODOO_URL")
        self.children: list[Child] = []

    def start(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Start everything in order and wait until it answers. Raises `PortTaken` or `SuiteFailed`."""
        self._prepare()
        for child in self._plan():
            told(child.name)
            child.start(self.folder / "logs")
            self.children.append(child)
            self._await(child)
        self._tell_others()

    def watch(self) -> None:
        """Start again what has died, with growing pauses. Call it now and then."""
        for child in self.children:
            if child.is_alive:
                if child.deaths and time.monotonic() - child.started_at > CALM_SECONDS:
                    child.deaths = 0
                continue
            pause = RESTART_PAUSES[min(child.deaths, len(RESTART_PAUSES) - 1)]
            if time.monotonic() - child.started_at >= pause:
                child.deaths += 1
                child.start(self.folder / "logs")

    def child(self, name: str) -> Child:
        return next(one for one in self.children if one.name == name)

    def stop(self) -> None:
        """Stop in the reverse order: the edge first, the books last."""
        for child in reversed(self.children):
            child.stop()
        self.children.clear()
        with suppress(FileNotFoundError):
            (self.folder / "suite.json").unlink()

    def environment(self) -> dict[str, str]:
        """What every service gets. Whatever the caller's environment says wins, except for the addresses."""
        defaults = {
            "CONCORD_DATA_DIR": str(self.folder),
            "CONCORD_TOKEN_KEYS": self._token_keys(),
            "CONCORD_INSTALLATION": "main",
        }
        if self.uses_sandbox:
            defaults |= {
                "CONCORD_ODOO_URL": f"http://127.0.0.1:{self.ports['sandbox']}",
                "CONCORD_ODOO_DB": "sandbox",
                "CONCORD_ODOO_USER": "concord",
                "CONCORD_ODOO_PASSWORD": "concord",
                "CONCORD_MASTERDATA_ODOO_USER": "masterdata",
                "CONCORD_MASTERDATA_ODOO_PASSWORD": "masterdata",
            }
        merged = defaults | {name: value for name, value in self._outer.items() if value}
        merged["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'libs' / 'stubs'}"
        for service in SERVICES:
            merged[f"CONCORD_{service.upper()}_LISTEN"] = f"127.0.0.1:{self.ports[service]}"
            merged[f"CONCORD_{service.upper()}_ADDRESS"] = self.address(service)
        merged["CONCORD_GATEWAY_HTTP_LISTEN"] = f"127.0.0.1:{self.ports['http']}"
        if self._sources is not None:
            merged["CONCORD_GATEWAY_SOURCES"] = str(self._sources)
        return merged

    def _prepare(self) -> None:
        for port in self.ports.values():
            if not _is_free(port):
                raise PortTaken(f"port {port} is in use: stop what listens there, or use --free-ports")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "logs").mkdir(exist_ok=True)

    def _plan(self) -> list[Child]:
        environment = self.environment()
        plan = []
        if self.uses_sandbox:
            arguments = ["-m", "libs.odoo.sandbox", "--data", str(self.folder / "sandbox.db")]
            arguments += ["--port", str(self.ports["sandbox"])]
            arguments += ["--with-faults"] if self._sandbox_faults else []
            plan.append(Child("sandbox", arguments, environment, partial(_answers, self.ports["sandbox"])))
        for service in ("masterdata", "ledger", "recon", "gateway"):
            ready = partial(_answers, self.ports["http" if service == "gateway" else service])
            plan.append(Child(service, ["-m", f"services.{service}.main"], environment, ready))
            plan += self._twins_of(service, environment)
        return plan

    def _twins_of(self, service: str, environment: Mapping[str, str]) -> list[Child]:
        """Further processes of a service, on ports of their own."""
        twins = []
        for number, port in enumerate(self._twins[service], start=2):
            own = {**environment, f"CONCORD_{service.upper()}_LISTEN": f"127.0.0.1:{port}"}
            watched = port
            if service == "gateway":
                watched = self._twins["http"][number - 2]
                own["CONCORD_GATEWAY_HTTP_LISTEN"] = f"127.0.0.1:{watched}"
            arguments = ["-m", f"services.{service}.main"]
            twins.append(Child(f"{service}-{number}", arguments, own, partial(_answers, watched)))
        return twins

    def address(self, service: str) -> str:
        """Where callers find a service: every process of it."""
        ports = [self.ports[service], *self._twins[service]]
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"ipv4:{hosts}" if len(ports) > 1 else hosts

    def http_addresses(self) -> list[str]:
        """The partners' face of every gateway process."""
        return [f"http://127.0.0.1:{port}" for port in (self.ports["http"], *self._twins["http"])]

    def _await(self, child: Child) -> None:
        ends_at = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends_at:
            if not child.is_alive:
                break
            if child.ready():
                return
            time.sleep(0.05)
        self.stop()
        raise SuiteFailed(f"{child.name} did not start; see {self.folder / 'logs' / child.name}.log")

    def _token_keys(self) -> str:
        """The installation's signing key: made once, readable by its owner alone."""
        path = self.folder / "token-keys"
        if not path.exists():
            partial = path.with_suffix(".partial")
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(f"k1:{secrets.token_urlsafe(48)}\n")
            partial.replace(path)
        return path.read_text().strip()

    def _tell_others(self) -> None:
        """Where the other commands find the suite: addresses and paths, no secret."""
        addresses = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        addresses |= {service: self.address(service) for service in SERVICES}
        text = json.dumps({"addresses": addresses, "token_keys": str(self.folder / "token-keys")})
        (self.folder / "suite.json").write_text(text)


def run_until_stopped(suite: Suite) -> None:
    """Watch until SIGTERM or SIGINT, then stop all."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _: stopping.append(caught))
    while not stopping:
        suite.watch()
        time.sleep(0.2)
    suite.stop()


def _answers(port: int) -> bool:
    return not _is_free(port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_ports(count: int) -> list[int]:
    """Ports of the system's choice, all different: they are held until the last one is known."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
