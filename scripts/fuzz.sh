#!/bin/sh
# Runs each libFuzzer target on its seeds (tests/fuzz/seeds/NAME, and what it makes itself) for FUZZ_SECONDS.
set -u
pass=0 fail=0
for t in "$@"; do
	name=${t##*/fuzz_}
	work=$(dirname "$t")/corpus/$name
	mkdir -p "$work"
	seeds=tests/fuzz/seeds/$name
	[ -d "$seeds" ] || { echo "  $name: no seeds in $seeds"; fail=$((fail + 1)); continue; }
	if "$t" -max_total_time="${FUZZ_SECONDS:-5}" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$work/crash-" "$work" "$seeds" >"$t.log" 2>&1; then
		printf '  %-20s %s runs\n' "$name" "$(sed -n 's/stat::number_of_executed_units: *//p' "$t.log")"
		pass=$((pass + 1))
	else
		tail -40 "$t.log"
		fail=$((fail + 1))
	fi
done
echo "fuzz: $pass passed, $fail failed"
[ "$fail" -eq 0 ] && [ "$pass" -gt 0 ]
