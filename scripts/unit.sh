#!/bin/sh
# Runs cmocka programs and closes with one line of totals. RUN: a command before each, such as an emulator.
set -u
pass=0 fail=0
for t in "$@"; do
	out=$(${RUN-} "$t" 2>&1) && ok=1 || ok=0
	p=$(printf '%s\n' "$out" | sed -n 's/.*\[  PASSED  \] \([0-9]*\) test.*/\1/p' | tail -1)
	f=$(printf '%s\n' "$out" | sed -n 's/.*\[  FAILED  \] \([0-9]*\) test.*/\1/p' | tail -1)
	if [ $ok -eq 1 ] && [ "${p:-0}" -gt 0 ]; then
		printf '  %-28s %s passed\n' "${t##*/}" "$p"
		printf '%s\n' "$out" | grep -E '^(note|skipped):' | sed 's/^/    /'
	else
		printf '%s\n' "$out"
		printf '  %-28s FAILED\n' "${t##*/}"
		[ "${f:-0}" -gt 0 ] || f=1
	fi
	pass=$((pass + ${p:-0})) fail=$((fail + ${f:-0}))
done
echo "unit: $pass passed, $fail failed"
[ "$fail" -eq 0 ] && [ "$pass" -gt 0 ]
