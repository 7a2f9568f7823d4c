#!/usr/bin/python3
"""Runs a verifier over the corpus and compares every row: run.py FOLDER PROGRAM [ID...]

PROGRAM is called as `PROGRAM verify --json [--trust PATH]… --at TIME --policy P [--data FILE] FILE…`, once for all rows
with the same options, and answers one JSON object per line and file (README.md)."""
import collections
import csv
import json
import os
import subprocess
import sys


def read_rows(folder, only):
    with open(os.path.join(folder, "cases.tsv"), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [r for r in rows if not only or r["id"] in only]


def answers(folder, program, options, files):
    trust, at, policy, data = options
    command = [program, "verify", "--json", "--at", at, "--policy", policy]
    for path in trust.split(",") if trust != "-" else []:
        command += ["--trust", path]
    if data != "-":
        command += ["--data", data]
    run = subprocess.run(command + files, cwd=folder, stdout=subprocess.PIPE, timeout=300)
    lines = run.stdout.decode("utf-8").splitlines()
    if len(lines) != len(files):
        sys.exit("corpus: %d answers for %d files, status %d: %s" % (len(lines), len(files), run.returncode, command))
    return [json.loads(line) for line in lines]


def found_codes(answer):
    checks = list(answer["checks"])
    for signature in answer["signatures"]:
        checks += signature["checks"]
    return collections.Counter("%s=%s" % (c["step"], c["code"]) for c in checks)


def differences(row, answer):
    for key in ("indication", "sub_indication"):
        found = answer.get(key) or "-"
        if found != row[key]:
            yield "%s: %s, not %s" % (key, found, row[key])
    wanted, found = collections.Counter(row["codes"].split()), found_codes(answer)
    for code in (wanted - found):
        yield "missing  %s" % code
    for code in (found - wanted):
        if not code.endswith("=OK"):  # a verifier may have more steps than the table, as long as nothing is wrong
            yield "unwanted %s" % code


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: run.py FOLDER PROGRAM [ID...]")
    folder, program, only = sys.argv[1], os.path.abspath(sys.argv[2]), set(sys.argv[3:])
    rows = read_rows(folder, only)
    groups = collections.defaultdict(list)
    for row in rows:
        groups[(row["trust"], row["at"], row["policy"], row["data"])].append(row)
    bad, seen = 0, collections.Counter()
    for options, group in groups.items():
        for row, answer in zip(group, answers(folder, program, options, [r["file"] for r in group])):
            seen.update(found_codes(answer))
            lines = list(differences(row, answer))
            bad += bool(lines)
            if lines:
                print("%s (%s)\n    %s" % (row["id"], row["about"], "\n    ".join(lines)))
    codes = {pair.split("=")[1] for pair in seen}
    print("corpus: %d cases, %d wrong, %d different codes" % (len(rows), bad, len(codes)))
    sys.exit(1 if bad or not rows else 0)


main()
