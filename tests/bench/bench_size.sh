#!/bin/sh
# Does a call cost more when the store is large? Pulls, codes and inspections in a store with few and with many licences,
# in turns; the time from exec to serving. docs/sizing.md.
# usage: tests/bench/bench_size.sh BUILD    BENCH_SMALL (10000), BENCH_LARGE (10000000: 25 GB of disk, removed afterwards)
set -eu
cd "$(dirname "$0")/../.."
build=$1
mkdir -p "$build/bench"
export YZ_MAIN=tests/bench/bench_size.py
exec tests/e2e/run.sh "$build" "$build/bench/size.json"
