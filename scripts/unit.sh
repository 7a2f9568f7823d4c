#!/bin/sh
# Runs cmocka programs and closes with one line of totals. Those of the store run on both databases: a PostgreSQL is
# started for them, unless YZ_PG_URL names one.
set -u
cd "$(dirname "$0")/.."
pass=0 fail=0 pg=""

run() { # PROGRAM [DATABASE]
	out=$(STORE=${2:-sqlite} ${RUN:-} "$1" 2>&1) && ok=1 || ok=0
	name=${1##*/}${2:+ ($2)}
	p=$(printf '%s\n' "$out" | sed -n 's/.*\[  PASSED  \] \([0-9]*\) test.*/\1/p' | tail -1)
	f=$(printf '%s\n' "$out" | sed -n 's/.*\[  FAILED  \] \([0-9]*\) test.*/\1/p' | tail -1)
	if [ $ok -eq 1 ] && [ "${p:-0}" -gt 0 ]; then
		printf '  %-31s %s passed\n' "$name" "$p"
		printf '%s\n' "$out" | grep -E '^(note|skipped):' | sed 's/^/    /'
	else
		printf '%s\n' "$out"
		printf '  %-31s FAILED\n' "$name"
		[ "${f:-0}" -gt 0 ] || f=1
	fi
	pass=$((pass + ${p:-0})) fail=$((fail + ${f:-0}))
}

# Sets YZ_PG_URL. Without a PostgreSQL the tests that need it fail, and say why.
need_postgres() {
	[ -z "${YZ_PG_URL:-}" ] || return 0
	pg=$(mktemp -d "${TMPDIR:-/tmp}/yz-unit-pg.XXXXXX")
	trap 'scripts/pgserver.sh "$pg" remove; rm -rf "$pg"' EXIT
	trap 'exit 130' INT TERM
	scripts/pgserver.sh "$pg" start && YZ_PG_URL=$(scripts/pgserver.sh "$pg" url)
	export YZ_PG_URL
}

for t in "$@"; do
	case ${t##*/} in
	test_store_postgres*)
		need_postgres
		run "$t" postgres
		;;
	test_store_fault | test_store_log*) run "$t" ;; # of SQLite's files
	test_store_*)
		run "$t"
		need_postgres
		run "$t" postgres
		;;
	*) run "$t" ;;
	esac
done
echo "unit: $pass passed, $fail failed"
[ "$fail" -eq 0 ] && [ "$pass" -gt 0 ]
