"""Start a service in its container: read secrets from files into the environment, then become the service.

`NAME_FILE=/run/secrets/x` sets NAME to that file's content, for CONCORD_*, PGPASSWORD and OTEL_* names; a value that
is set already wins. Without arguments the service that CONCORD_SERVICE names is started, else the given command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SUFFIX = "_FILE"
PREFIXES = ("CONCORD_", "OTEL_", "PGPASSWORD")
SERVICES = ("gateway", "ledger", "masterdata", "recon")


def with_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with the content of every `NAME_FILE` under NAME. A file that can't be read ends the start."""
    complete = dict(env)
    for name, path in env.items():
        if name.endswith(SUFFIX) and name.startswith(PREFIXES) and not name.endswith("PORTS_FILE"):
            target = name.removesuffix(SUFFIX)
            try:
                secret = Path(path).read_text().strip()
            except OSError as error:
                raise SystemExit(f"entrypoint: {name} can't be read: {error.strerror}") from None
            complete.setdefault(target, secret)
            del complete[name]
    return complete


def command(arguments: list[str], env: Mapping[str, str]) -> list[str]:
    """What to become."""
    if arguments:
        return arguments
    service = env.get("CONCORD_SERVICE", "")
    if service not in SERVICES:
        raise SystemExit(f"entrypoint: CONCORD_SERVICE must be one of {', '.join(SERVICES)}")
    # -P: the working folder is writable and no place to import from.
    return [sys.executable, "-P", "-m", f"services.{service}.main"]


def main() -> None:
    """Become the service; its process id and signals are the container's."""
    env = with_secrets(os.environ)
    program = command(sys.argv[1:], env)
    os.execvpe(program[0], program, env)  # noqa: S606 (the command is ours or the operator's)


if __name__ == "__main__":
    main()
