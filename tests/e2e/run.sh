#!/bin/sh
# End-to-end: the real server, a Python grpcio client made from the .proto files alone, and the command line.
# usage: [STORE=postgres] tests/e2e/run.sh BUILD [unittest arguments, e.g. test_refusals.Codes]
# With STORE=postgres every server's store is a database of its own on a PostgreSQL that is started for the run, unless
# YZ_PG_URL names one. YZ_PG_WAY: url, or local for its Unix socket.
set -eu
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
shift
gen=$build/e2e/gen
mkdir -p "$gen"
protoc -I proto -I /usr/share/grpc-proto --python_out="$gen" proto/yinzheng/v1/*.proto \
	grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto
# The generated grpc/ folder must not hide the grpc package.
rm -rf "$gen/std" && mkdir "$gen/std" && mv "$gen/grpc/health/v1/health_pb2.py" "$gen/std/"
mv "$gen/grpc/reflection/v1/reflection_pb2.py" "$gen/std/reflection_v1_pb2.py"
mv "$gen/grpc/reflection/v1alpha/reflection_pb2.py" "$gen/std/reflection_v1alpha_pb2.py"
rm -rf "$gen/grpc"
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp:ignore_noninstrumented_modules=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export YZ_BUILD="$build" PYTHONPATH="$gen:tests/e2e:tests/crash" PYTHONDONTWRITEBYTECODE=1 GRPC_VERBOSITY=NONE
# The server is on this machine, whatever proxy the environment names.
export no_proxy=localhost,127.0.0.1
if [ "${STORE:-sqlite}" != postgres ] || [ -n "${YZ_PG_URL:-}" ]; then
	exec /usr/bin/python3 "${YZ_MAIN:-tests/e2e/main.py}" "$@"
fi
pg=$(mktemp -d "${TMPDIR:-/tmp}/yz-e2e-pg.XXXXXX")
trap 'scripts/pgserver.sh "$pg" remove; rm -rf "$pg"' EXIT
scripts/pgserver.sh "$pg" start
YZ_PG_URL=$(scripts/pgserver.sh "$pg" "${YZ_PG_WAY:-url}")
export YZ_PG_URL YZ_PG_DIR="$pg"
# In the background, so that a signal ends the tests and then the database.
/usr/bin/python3 "${YZ_MAIN:-tests/e2e/main.py}" "$@" &
tests=$!
trap 'kill -TERM $tests; wait $tests; exit 130' INT TERM
wait $tests
