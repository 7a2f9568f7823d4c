"""The sizing table of docs/sizing.md, from what was measured: sizing.py LOAD.json SIZE.json"""
import json
import math
import sys

PLACES = [  # people, licences each, uses a year each
    ("city, 5 million people", 5e6, 8, 6),
    ("province, 60 million", 60e6, 8, 6),
    ("1.4 billion people", 1.4e9, 8, 6),
]
PEAK = 10        # busiest minute against the mean of the working hours
HOURS = 250 * 8  # a year
AIM = 0.5        # of a machine's processors in the busiest minute
CORES = 32       # of one machine
KEPT_YEARS = 5   # receipts and audit entries
USE_OCTETS = 9470  # what a code and its pull leave in the store, measured (docs/sizing.md)


def cost(half, part):
    return half["issue_code"][part] + half["pull_three"][part]


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        load = json.load(f)
    with open(sys.argv[2], encoding="utf-8") as f:
        size = json.load(f)
    half = load["postgres"]["half"]
    server, database = cost(half, "server_us"), cost(half, "database_us")
    licence = size["large_octets"] / size["large"]
    print("measured: %.0f µs of server and %.0f µs of database per use (code and pull), %.0f octets per licence" % (
        server, database, licence))
    print("\n| place | uses/s in the busiest minute | server cores | database cores | machines of %d cores | licences | "
          "uses of %d years |\n|---|---|---|---|---|---|---|" % (CORES, KEPT_YEARS))
    for name, people, licences, uses in PLACES:
        rate = people * uses / (HOURS * 3600) * PEAK
        cores = [rate * us / 1e6 / AIM for us in (server, database)]
        machines = [max(2, math.ceil(c / CORES)) for c in cores]
        print("| %s | %.0f | %.1f | %.1f | %d servers, %d databases | %.1f TB | %.1f TB |" % (
            name, rate, cores[0], cores[1], machines[0], machines[1], people * licences * licence / 1e12,
            people * uses * KEPT_YEARS * USE_OCTETS / 1e12))


main()
