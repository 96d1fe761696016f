#!/usr/bin/env bash
# Runs a command with CONCORD_TEST_POSTGRES_URL naming a PostgreSQL: the one that it names already, or else a private
# cluster on a free loopback port in a temporary folder, which is gone when the command ends.
#
# Where no PostgreSQL server is installed, Debian's package is, if apt-get and root (or sudo) are there.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'postgres: %s\n' "$*" >&2; }

if [ $# -eq 0 ]; then
    say "usage: scripts/with_postgres.sh COMMAND [ARGUMENT...]"
    exit 2
fi
if [ -n "${CONCORD_TEST_POSTGRES_URL:-}" ]; then
    exec "$@"
fi

server_programs() {
    if [ -n "${PG_BIN:-}" ]; then
        printf '%s\n' "$PG_BIN"
    elif compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
        dirname "$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)"
    elif command -v initdb >/dev/null && command -v postgres >/dev/null; then
        dirname "$(command -v initdb)"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_server() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
    say "installing Debian's postgresql"
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq </dev/null >&2
    # Without this the package would start a cluster of its own on port 5432.
    as_root apt-get install -y -qq --no-install-recommends postgresql-common </dev/null >&2
    as_root sed -i -E 's/^#? *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    as_root apt-get install -y -qq --no-install-recommends postgresql </dev/null >&2
}

bin=$(server_programs)
if [ -z "$bin" ]; then
    install_server || { say "no PostgreSQL server here, and no apt-get as root or sudo to install one"; exit 1; }
    bin=$(server_programs)
fi

# PostgreSQL refuses to run as root.
folder=$(mktemp -d "${TMPDIR:-/tmp}/concord-postgres.XXXXXX")
owner=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    owner=(runuser -u postgres --)
fi

stop() {
    status=$?
    trap - EXIT INT TERM
    if [ -f "$folder/data/postmaster.pid" ]; then
        (cd / && "${owner[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1) || true
    fi
    rm -rf "$folder"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

password=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$password" >"$folder/password"
[ "$(id -u)" = 0 ] && chown postgres "$folder/password"
if ! (cd / && "${owner[@]}" "$bin/initdb" -D "$folder/data" --username=concord --pwfile="$folder/password" \
    --auth=scram-sha-256 --locale=C --encoding=UTF8 --no-instructions --no-sync) >"$folder/initdb.log" 2>&1; then
    cat "$folder/initdb.log" >&2
    exit 1
fi

# The cluster lives for one test run: a power failure may take it, a killed service of ours may not lose a commit.
# A benchmark of durable writes asks for the flushes (CONCORD_TEST_POSTGRES_FSYNC=on).
settings="-c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c max_connections=300 -c shared_buffers=256MB \
-c fsync=${CONCORD_TEST_POSTGRES_FSYNC:-off} -c full_page_writes=${CONCORD_TEST_POSTGRES_FSYNC:-off} -c timezone=UTC"
started=no
for _ in 1 2 3 4 5; do # another program may take the port between the look and the start
    port=$(free_port)
    if (cd / && "${owner[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 \
        -o "$settings -c port=$port" start >/dev/null 2>&1 </dev/null); then
        started=yes
        break
    fi
done
if [ "$started" = no ]; then
    say "the private cluster did not start:"
    tail -n 20 "$folder/data/server.log" >&2 || true
    exit 1
fi
export PGPASSWORD=$password
"$bin/createdb" -h 127.0.0.1 -p "$port" -U concord concord
unset PGPASSWORD

export CONCORD_TEST_POSTGRES_URL="postgresql+psycopg://concord:$password@127.0.0.1:$port/concord"
say "$("$bin/postgres" --version) on 127.0.0.1:$port"
"$@"
