#!/bin/sh
# How fast the service is, on SQLite and on a real PostgreSQL (docs/benchmarks.md).
# usage: tests/bench/bench_load.sh BUILD [sqlite|postgres]…   writes BUILD/bench/load.json
# BENCH_SECONDS (4) of each turn, BENCH_ROUNDS (3), BENCH_IN_FLIGHT (128), BENCH_HOLDERS (200), BENCH_LICENCES (1000000)
set -eu
cd "$(dirname "$0")/../.."
build=$1
shift
[ $# -gt 0 ] || set -- sqlite postgres
mkdir -p "$build/bench"
out=$build/bench/load.json
rm -f "$out"
export YZ_MAIN=tests/bench/bench_load.py
export YZ_PG_WAY=local # server and database share the machine
for store in "$@"; do
	STORE=$store tests/e2e/run.sh "$build" "$store" "$out"
done
echo "written: $out"
