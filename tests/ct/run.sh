#!/bin/sh
# Is signing constant-time in key and nonce? usage: tests/ct/run.sh PROGRAM   (make ct)
# Runs the program under valgrind, for each path of the arithmetic that this machine has.
set -u
program=$1
leak=99
command -v valgrind >/dev/null || { echo 'ct: valgrind is not there: make deps-test' >&2; exit 1; }

memcheck() { valgrind -q --error-exitcode=$leak --num-callers=20 "$program" "$@" 2>"$program.log"; }

# check NAME BITS [FLAG...]: bits of enum cpu_path (crypto/cpu.h), and what the machine must have for them
check() {
	name=$1 bits=$2
	shift 2
	for flag; do
		grep -qw "$flag" /proc/cpuinfo || { echo "note: ct: path $name is not on this machine, skipped"; return; }
	done
	if ! memcheck sign "$bits"; then
		cat "$program.log"
		echo "ct: signing ($name) FAILED"
		exit 1
	fi
	echo "  ct: signing ($name) branches on no secret and reads at no secret address"
}

check portable 0
check adx 1 bmi2 adx
check adx+avx2 3 bmi2 adx avx2
# AVX-512 is beyond valgrind.

# Would it be seen?
for job in leak-branch leak-index; do
	memcheck $job 0
	if [ $? -ne $leak ]; then
		echo "ct: $job was not found: the check is worth nothing" >&2
		exit 1
	fi
done
echo '  ct: leaks made on purpose are found'
