#!/bin/sh
# Makes .venv from requirements.lock: Python 3.11+ and a package index are all it needs.
#
# uv does the work where it is on the PATH or can be installed into the environment; pip alone does otherwise.
# Every file is checked against the hashes of the lock, whichever installs it.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
lock=requirements.lock

say() { printf 'environment: %s\n' "$*" >&2; }

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    if command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    say "Python 3.11 or newer was not found; install it, or name it: make PYTHON=/path/to/python3.11"
    exit 1
fi

# An interrupted earlier run, or a folder whose Python is gone, is made anew.
if [ ! -x "$venv/bin/python" ] || ! fits "$venv/bin/python"; then
    rm -rf "$venv"
    # Debian ships venv without ensurepip unless python3-venv is installed: then pip or uv is taken from outside.
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        "$python" -m venv "$venv"
    elif command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$python" "$venv"
    elif "$python" -c 'import venv' >/dev/null 2>&1 && "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$venv"
    else
        say "$python cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"
        exit 1
    fi
fi

# pip inside the environment, or the outer one working on it.
pip() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m pip --disable-pip-version-check "$@"
    else
        "$python" -m pip --disable-pip-version-check --python "$venv/bin/python" "$@"
    fi
}

# Compiled at once: where Python writes no bytecode (PYTHONDONTWRITEBYTECODE), each of our processes would compile it all anew.
with_uv() { "$1" pip install --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes -r "$lock"; }

say "installing $lock into $venv"
installed=no
if command -v uv >/dev/null 2>&1 && with_uv uv; then
    installed=yes
else
    # uv's own lines of the lock, hashes included, make a one-package requirements file.
    bootstrap=$(mktemp)
    trap 'rm -f "$bootstrap"' EXIT
    sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^    --hash/p;}' "$lock" >"$bootstrap"
    if { [ -x "$venv/bin/uv" ] || pip install --quiet --require-hashes --no-deps -r "$bootstrap"; } && with_uv "$venv/bin/uv"; then
        installed=yes
    fi
fi
if [ "$installed" = no ]; then
    say "uv did not do; pip takes over (a minute or two)"
    pip install --quiet --require-hashes -r "$lock"
fi

# The import roots are this folder and libs/stubs. A .pth file of paths relative to site-packages names them, so that
# nothing is built, an edit counts at once, and the folder may be moved. (A setuptools editable install would need a
# package list for three roots and records absolute paths.)
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$venv/bin/python" - "$site" <<'PY'
import os
import pathlib
import sys

site = pathlib.Path(sys.argv[1])
roots = [pathlib.Path.cwd(), pathlib.Path.cwd() / "libs" / "stubs"]
site.joinpath("concord.pth").write_text("".join(os.path.relpath(root, site) + "\n" for root in roots))
PY

# -P keeps the caller's folder off the path: a stranger's cli/ or libs/ there must not shadow ours.
cat >"$venv/bin/concord" <<'SH'
#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
exec "$here/python" -P -m cli "$@"
SH
chmod +x "$venv/bin/concord"
say "ready"
