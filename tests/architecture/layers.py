"""Which layer may import what. Imports point one way: main → servicer → wire, handlers → domain ← storage, adapters.

Names of the module's own service are relative (`domain.entry`); the standard library is always allowed.
"""

from __future__ import annotations

import sys

from tests.architecture.source import Module, within

STDLIB = frozenset(sys.stdlib_module_names) | {"__future__"}
# Values too: what a caller may touch, part of a list, and what a worker is handed.
VALUES = frozenset({"libs.access", "libs.money", "libs.errors", "libs.events", "libs.listing", "libs.service.work"})
GRPC = frozenset({"grpc", "grpc_health", "grpc_reflection", "grpc_status", "google"})
# The connector seam: its contracts and the registry. No provider's own folder is part of it.
SEAM = frozenset({"providers.base", "providers.errors", "providers.PROVIDERS"})

# A layer that is not named here is not one of ours.
SERVICE_LAYERS: dict[str, frozenset[str]] = {
    "domain": VALUES | SEAM,
    # Its own tables are not the world: a use case takes the unit of work as it is, and nothing else of storage.
    "handlers": VALUES
    | SEAM
    | {"domain", "libs.formats", "libs.handover", "libs.storage.requests", "libs.trail", "storage.uow"},
    "storage": VALUES
    | SEAM
    | {"domain", "message", "libs.handover", "libs.storage", "libs.trail"}
    | {"sqlmodel", "sqlalchemy", "alembic"},
    # A value as the bytes that clients get: storage keeps them.
    "message": VALUES | {"domain", "libs.rpc.scalars", "concord"},
    "adapters": VALUES | GRPC | SEAM | {"domain", "handlers.ports", "libs", "concord", "httpx", "yaml"},
    # The classes of Odoo's errors say what a worker does next; they are plain exceptions.
    "workers": VALUES
    | SEAM
    | {"domain", "handlers", "libs.formats", "libs.handover", "libs.odoo.errors"}
    | {"storage.uow"},
    "engine": VALUES | {"domain", "handlers.ports", "duckdb", "pyarrow"},
    # The gateway's HTTP face: what it serves, what it says of itself, how it refuses.
    "http": VALUES | SEAM | {"assembly", "config", "domain", "handlers", "openapi", "problems", "libs", "uvicorn"},
    "openapi": VALUES | SEAM,
    "problems": VALUES | {"libs.formats"},
    # Handlers and workers put together from their ports, for `main` and for the simulation.
    "assembly": VALUES
    | SEAM
    | {"adapters", "domain", "handlers", "storage", "workers", "engine", "libs.odoo.port", "libs.storage"}
    | {"libs.handover", "libs.telemetry.odoo", "libs.trail"},
    # Fulfils a port from the configuration itself.
    "accounts": VALUES | SEAM | {"config", "domain", "handlers.ports"},
    "servicer": VALUES | GRPC | {"domain", "handlers", "wire", "telemetry", "libs", "concord", "storage.uow"},
    "wire": VALUES | GRPC | SEAM | {"domain", "handlers", "message", "libs.rpc", "libs.formats", "concord"},
    # What a service tells of what it committed and of what waits; an observer counts for handlers, through a port of
    # theirs.
    "telemetry": VALUES | {"domain", "handlers.ports", "storage.uow", "libs.telemetry", "opentelemetry"},
    "observer": VALUES | {"domain", "handlers.ports", "libs.telemetry", "opentelemetry"},
    # It reads text into what the others are built with; it builds none of them.
    "config": VALUES | SEAM | {"domain", "adapters", "libs", "yaml"},
    "main": GRPC | SEAM | {"libs", "concord"},
}
# `main` builds everything of its own service, whatever its layers are called.
BUILDS_ALL = "main"

LIBS: dict[str, frozenset[str]] = {
    "access": frozenset({"libs.errors", "libs.events"}),
    "money": frozenset({"libs.errors"}),
    "errors": frozenset(),
    "listing": frozenset(),
    "events": frozenset({"libs.money", "libs.errors"}),
    "formats": VALUES | {"jiter", "lxml", "pyarrow"},
    "storage": VALUES | {"sqlalchemy", "sqlmodel", "alembic", "psycopg", "nats"},
    "rpc": VALUES | GRPC | {"concord", "jwt", "cryptography"},
    "telemetry": VALUES | GRPC | {"opentelemetry", "prometheus_client", "libs.rpc"},
    # Values, the table of events on their way, the worker, and the ledger by its stub.
    "handover": VALUES | {"grpc", "concord", "libs.rpc", "libs.storage", "sqlalchemy", "sqlmodel"},
    # What every service can say of a transaction: values, their reading from storage and their wire.
    "trail": VALUES | {"concord", "libs.rpc", "libs.storage", "sqlalchemy"},
    # The plumbing of a process: it may see all other libs, and none of them sees it.
    "service": VALUES | GRPC | {"libs.odoo", "libs.rpc", "libs.storage", "libs.telemetry", "libs.trail"},
    "odoo": VALUES | {"odoorpc", "yaml", "httpx", "libs.formats", "starlette", "uvicorn"},
}

# The stand-in for Odoo knows what passes between us and Odoo, and nothing of ours beyond that. No service knows it.
SANDBOX = VALUES | {"sandbox", "libs.odoo"}
# What a provider's folder may know beside itself; no provider knows another.
PROVIDER = (
    VALUES
    | {"libs.formats"}
    | {f"providers.{shared}" for shared in ("base", "errors", "fake_server", "proof", "reading")}
)

# Third-party packages that one place alone may know, `main` and cli included.
OWNERS: dict[str, tuple[str, ...]] = {
    "odoorpc": ("libs.odoo",),
    "duckdb": ("services.recon.engine",),
    "sqlmodel": (
        "libs.storage.declarations",
        "libs.storage.revisions",
        "libs.handover.declarations",
        "services.*.storage.rows",
    ),
    "sqlalchemy": ("libs.storage", "libs.handover", "libs.trail.reading", "services.*.storage"),
    "alembic": ("libs.storage", "services.*.storage"),
    "jiter": ("libs.formats",),
    "lxml": ("libs.formats",),
}


def foreign_imports(module: Module) -> list[str]:
    """Imports that the module's layer may not have."""
    if module.service is not None:
        return _foreign_to_layer(module)
    if module.name.startswith("libs."):
        own = module.name.split(".")[1]
        if own not in LIBS:
            return [f"libs/{own} is in no table of tests/architecture/layers.py"]
        allowed = STDLIB | LIBS[own] | {f"libs.{own}"}
        return [name for name in module.imports if not within(name, allowed)]
    if within(module.name, frozenset({"sandbox"})):
        return [name for name in module.imports if not within(name, STDLIB | SANDBOX)]
    if module.layer == "providers":
        folder = ".".join(module.name.split(".")[:2])
        # The registry loads the folders by name; what stands beside it is shared by all.
        return [name for name in module.imports if not within(name, STDLIB | PROVIDER | {folder})]
    return [name for name in module.imports if within(name, frozenset({"tests", "scripts"}))]


def _foreign_to_layer(module: Module) -> list[str]:
    own = f"services.{module.service}"
    if module.layer is None:  # the service's __init__.py
        return list(module.imports)
    if module.layer not in SERVICE_LAYERS:
        return [f"layer {module.layer} is in no table of tests/architecture/layers.py"]
    allowed = SERVICE_LAYERS[module.layer] | {module.layer}
    found = []
    for name in module.imports:
        if within(name, frozenset({own})):
            inside = name.removeprefix(f"{own}.")
            if module.layer != BUILDS_ALL and not within(inside, allowed):
                found.append(name)
        elif not within(name, STDLIB | allowed):
            found.append(name)
    return found


def other_services(module: Module) -> list[str]:
    """Imports of another service, which only a stub may reach. `main` is no exception."""
    if module.name.startswith("cli"):
        return []
    own = frozenset({f"services.{module.service}"})
    return [name for name in module.imports if within(name, frozenset({"services"})) and not within(name, own)]


def stolen_packages(module: Module) -> list[str]:
    """Imports of a third-party package that another place owns."""
    place = module.name
    if module.service is not None:
        place = f"services.*.{place.split('.', 2)[-1]}"
    found = []
    for name in module.imports:
        owners = frozenset(OWNERS.get(name.split(".")[0], ()))
        if owners and not within(module.name, owners) and not within(place, owners):
            found.append(name)
    return found
