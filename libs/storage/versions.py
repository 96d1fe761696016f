"""A service's versions as files: `storage/migrations/versions/NNNN_*.py`, each named by its number."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def versions_of(service_package: str) -> Path:
    """The folder of a service's versions."""
    spec = importlib.util.find_spec(service_package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"no such package: {service_package}")
    return Path(next(iter(spec.submodule_search_locations))) / "storage" / "migrations" / "versions"


def newest_version(service_package: str) -> str:
    """The number that an up-to-date database is at; empty where there is no version yet."""
    return max((path.name.partition("_")[0] for path in versions_of(service_package).glob("[0-9]*.py")), default="")
