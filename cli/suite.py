"""All four services on one machine, supervised, on embedded defaults: what `concord up` and `concord demo` run.

A folder holds everything: databases, keys, logs, and `suite.json` with the addresses, by which the other
commands find the suite. A service that dies is started again; SIGTERM stops all in order. One suite a folder;
if the supervisor is killed, its services end by themselves.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from cli.child import STOP_SECONDS
from cli.connection import SERVICES
from libs.errors import ConcordError, Kind

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60.0
LEFT_OVER_SECONDS = STOP_SECONDS + 5.0  # so long the services of a killed supervisor may take to end
RESTART_PAUSES = (0.2, 1.0, 5.0, 15.0)  # seconds after the first, second … death in a row
SHOWN_CHARACTERS = 200
CALM_SECONDS = 60.0  # alive for so long, a service has recovered
LOCKS = ("supervisor.lock", "services.lock")  # in the folder, held while a suite runs there
PORTS = {"gateway": 50051, "masterdata": 50052, "ledger": 50053, "recon": 50054, "http": 8080, "sandbox": 8069}


class SuiteFailed(ConcordError):
    """The suite can't start or a part of it won't stay up; the log that says why is named."""

    kind = Kind.RETRY
    reason = "SUITE_FAILED"


class PortTaken(ConcordError):
    """A default port is in use."""

    kind = Kind.PRECONDITION
    reason = "PORT_TAKEN"


class FolderInUse(ConcordError):
    """Another suite runs on this folder: its databases have one writer each."""

    kind = Kind.PRECONDITION
    reason = "FOLDER_IN_USE"


class FolderUnusable(ConcordError):
    """The folder can't be made or written to."""

    kind = Kind.PRECONDITION
    reason = "FOLDER_UNUSABLE"


class StopAsked(BaseException):
    """SIGTERM or Ctrl-C came. No error: only whoever has something to stop catches it."""


@dataclass
class Child:
    """One process of the suite."""

    name: str
    arguments: Sequence[str]  # a module and what it is given
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    log: IO[bytes] | None = field(default=None, repr=False)

    def start(self, logs: Path, lifeline: int, lock: int) -> None:
        """Start it, or start it again.

        It ends when the pipe of which `lifeline` is the reading end is closed, and shares `lock` as long as it lives.
        """
        if self.log is None:
            self.log = (logs / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603 - our own modules, by the running interpreter
            [sys.executable, "-m", "cli.child", *self.arguments],
            env=dict(self.environment),
            cwd=ROOT,
            stdin=lifeline,
            pass_fds=(lock,),
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
        self._held: ExitStack | None = None  # the folder's lock and the lifeline, while we run
        self._lifeline = self._lock = -1

    def start(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Start everything in order and wait until it answers.

        Raises `FolderInUse`, `FolderUnusable`, `PortTaken` or `SuiteFailed`. Whatever ends it, call `stop`.
        """
        self._prepare()
        for child in self._plan():
            say(child.name)
            self.children.append(child)
            child.start(self.folder / "logs", self._lifeline, self._lock)
            self._await(child)
        self._tell_others()

    def watch(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Start again what has died, with growing pauses, and say so. Call it now and then."""
        for child in self.children:
            if child.is_alive:
                if child.deaths and time.monotonic() - child.started_at > CALM_SECONDS:
                    child.deaths = 0
                continue
            pause = RESTART_PAUSES[min(child.deaths, len(RESTART_PAUSES) - 1)]
            if time.monotonic() - child.started_at >= pause:
                child.deaths += 1
                say(f"{child.name} ended by itself and is started again; see {self.folder / 'logs' / child.name}.log")
                child.start(self.folder / "logs", self._lifeline, self._lock)

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def stop(self) -> None:
        """Stop in the reverse order: the edge first, the books last. Does nothing if nothing runs."""
        for child in reversed(self.children):
            child.stop()
        self.children.clear()
        if self._held is not None:  # else the folder is another's
            with suppress(FileNotFoundError):
                (self.folder / "suite.json").unlink()
            self._held.close()
            self._held = None

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
        """Make the folder ours alone, and see that the ports are free."""
        with ExitStack() as held:
            self._lock = held.enter_context(locked(self.folder)).fileno()
            (self.folder / "logs").mkdir(exist_ok=True)
            self._lifeline, ours = os.pipe()
            held.callback(os.close, self._lifeline)
            held.callback(os.close, ours)
            for name, port in self.ports.items():
                if (name != "sandbox" or self.uses_sandbox) and not _is_free(port):
                    raise PortTaken(
                        f"port {port} ({name}) is in use: stop what listens there, or run `concord up --free-ports`"
                    )
            self._held = held.pop_all()

    def _plan(self) -> list[Child]:
        environment = self.environment()
        plan = []
        if self.uses_sandbox:
            arguments = ["sandbox", "--data", str(self.folder / "sandbox.db")]
            arguments += ["--port", str(self.ports["sandbox"])]
            arguments += ["--with-faults"] if self._sandbox_faults else []
            plan.append(Child("sandbox", arguments, environment, partial(_answers, self.ports["sandbox"])))
        for service in ("masterdata", "ledger", "recon", "gateway"):
            ready = partial(_answers, self.ports["http" if service == "gateway" else service])
            plan.append(Child(service, [f"services.{service}.main"], environment, ready))
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
            arguments = [f"services.{service}.main"]
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
        log = self.folder / "logs" / f"{child.name}.log"
        raise SuiteFailed(f"{child.name} did not start ({_last_line(log)}); see {log}")

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


@contextmanager
def locked(folder: Path) -> Iterator[IO[bytes]]:
    """The folder, made if need be, is ours alone for the block; gives the lock that our services share.

    Waits for what a killed supervisor's services still do. Raises `FolderInUse` or `FolderUnusable`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FolderUnusable(f"cannot make {folder}: {error.strerror}") from None
    supervisors, services = (folder / name for name in LOCKS)
    with _lock(supervisors), _lock(services, LEFT_OVER_SECONDS) as shared:
        yield shared


@contextmanager
def _lock(path: Path, patience_seconds: float = 0.0) -> Iterator[IO[bytes]]:
    """The file, locked. The lock ends when we and every process that we hand it to have closed it or died."""
    try:
        file = path.open("ab")
    except OSError as error:
        raise FolderUnusable(f"cannot write to {path.parent}: {error.strerror}") from None
    ends_at = time.monotonic() + patience_seconds
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= ends_at:
                    raise FolderInUse(f"a suite runs in {path.parent} already, or is just stopping") from None
                time.sleep(0.1)
        yield file


@contextmanager
def until_asked_to_stop() -> Iterator[None]:
    """Run the block until SIGTERM or Ctrl-C ends it, quietly. Later signals don't disturb the stopping."""

    def ask(_number: int, _frame: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise StopAsked

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    with suppress(StopAsked):
        yield


def _last_line(log: Path) -> str:
    """What a process said last: for one that could not start, why."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:SHOWN_CHARACTERS] if lines else "it said nothing"


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
