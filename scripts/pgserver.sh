#!/bin/sh
# A private PostgreSQL for tests, trials and benchmarks: its own folder, a free port of 127.0.0.1, durable as in earnest.
# usage: scripts/pgserver.sh DIR start|stop|crash|remove|url|local|port|psql [arguments of psql]
#   start   makes the cluster when there is none, starts it, makes the database; DIR/url has its address
#   stop    ends it in order; crash kills it with kill -9; remove ends it and takes everything away
#   url     prints the address, local that of its Unix socket, port the port; psql runs a command in the database
# It runs as user postgres when started by root, because the server refuses to run as root. PG_OPTIONS: more of
# postgresql.conf, e.g. "shared_buffers=1GB" (separated by ;). PG_USER, PG_DATABASE: yinzheng.
set -eu

usage() { sed -n '3p' "$0" | cut -c3- >&2; exit 64; }
[ $# -ge 2 ] || usage
verb=$2
mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift 2
user=${PG_USER:-yinzheng} database=${PG_DATABASE:-yinzheng}
data=$(readlink "$dir/data" || echo "$dir/data")

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] && [ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed: run 'make deps-test' (package postgresql)" >&2; exit 1; }

# As an ordinary user: we ourselves, or postgres. The way to DIR may be closed to that user, or too long for a socket: the
# cluster stands in /tmp, and DIR/data points to it.
as() {
	if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

make_cluster() {
	data=$(mktemp -d /tmp/yzpg.XXXXXX)
	[ "$(id -u)" -ne 0 ] || chown postgres: "$data"
	ln -s "$data" "$dir/data"
	as "$bin/initdb" -D "$data" -U "$user" -A trust -E UTF8 --locale=C --no-instructions >"$dir/initdb.log" 2>&1 ||
		{ cat "$dir/initdb.log" >&2; exit 1; }
	# The last setting of a name counts.
	{
		echo "listen_addresses = '127.0.0.1'"
		echo "unix_socket_directories = '$data'"
		echo "max_connections = 200"
		echo "shared_buffers = 128MB"
		echo "wal_buffers = 16MB"
		echo "min_wal_size = 1GB"
		echo "max_wal_size = 4GB"
		echo "logging_collector = off"
		printf '%s\n' "${PG_OPTIONS:-}" | tr ';' '\n'
	} | as tee -a "$data/postgresql.conf" >/dev/null
}

running() { as "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; }

run() { # may lose its port to somebody else between choosing and binding
	for _ in 1 2 3 4 5; do
		port=$(cat "$dir/port" 2>/dev/null || free_port)
		if as "$bin/pg_ctl" -D "$data" -o "-p $port" -l "$data/log" -w -t 60 start >"$dir/start.log" 2>&1; then
			echo "$port" >"$dir/port"
			return 0
		fi
		rm -f "$dir/port"
	done
	cat "$dir/start.log" >&2
	as tail -20 "$data/log" >&2 || true
	echo "PostgreSQL did not start" >&2
	exit 1
}

start() {
	[ -e "$data/PG_VERSION" ] || { rm -rf "$dir/port" "$dir/data"; make_cluster; }
	running || run
	port=$(cat "$dir/port")
	printf 'postgres://%s@127.0.0.1:%s/%s\n' "$user" "$port" "$database" >"$dir/url"
	"$bin/psql" -qAt -h 127.0.0.1 -p "$port" -U "$user" -d postgres \
		-c "SELECT 1 FROM pg_database WHERE datname = '$database'" | grep -q 1 ||
		"$bin/createdb" -h 127.0.0.1 -p "$port" -U "$user" "$database"
}

# All of its processes at once, as when the power fails; gone when this returns.
crash() {
	first=$(as head -1 "$data/postmaster.pid")
	all="$first $(pgrep -P "$first" | tr '\n' ' ')"
	kill -9 $all
	for _ in $(seq 100); do
		ps -o stat= -p "$(echo $all | tr ' ' ',')" | grep -qv '^Z' || break
		sleep 0.05
	done
	# Where nobody waits for the dead, they are taken for living: by pg_ctl, and by who finds the socket's lock.
	as rm -f "$data/postmaster.pid" "$data"/.s.PGSQL.*
}

# Everything that the server left, too.
remove() {
	case $data in
	/tmp/yzpg.*) rm -rf "$data" ;;
	esac
	rm -rf "$dir/data" "$dir/port" "$dir/url" "$dir/initdb.log" "$dir/start.log"
}

case $verb in
start) start ;;
stop) ! running || as "$bin/pg_ctl" -D "$data" -m fast -w stop >/dev/null ;;
crash) ! running || crash ;;
remove) ! running || as "$bin/pg_ctl" -D "$data" -m immediate -w stop >/dev/null; remove ;;
url) cat "$dir/url" ;;
local) echo "postgres://$user@/$database?host=$data&port=$(cat "$dir/port")" ;;
port) cat "$dir/port" ;;
psql) exec "$bin/psql" -X -d "$(cat "$dir/url")" "$@" ;;
*) usage ;;
esac
