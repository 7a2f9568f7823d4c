"""make bench-size: the same calls on a store with few licences and on one with very many (tests/bench/make_store.c),
two servers on this machine, in turns. What counts is the quotient of the servers' processor time per call."""
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import load_setup  # noqa: E402
import yz  # noqa: E402

SMALL = int(os.environ.get("BENCH_SMALL", "10000"))
LARGE = int(os.environ.get("BENCH_LARGE", "10000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
RATE = os.environ.get("BENCH_RATE", "100")
TICK = os.sysconf("SC_CLK_TCK")
CALLS = {"issue_code": ("show", "use.json"), "pull": ("pull", "use.json"), "inspect": ("inspect", "show.json")}


def cpu(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def made(n):
    """A server whose store has n licences besides those of the load. Its folder is under the build folder."""
    s = yz.Server(extra="[log]\nlevel = error\n[server]\nwait_ms = 1000\n")
    load_setup.prepare(s, 50)
    s.stop()
    began = time.monotonic()
    subprocess.run([os.path.join(yz.BUILD, "make_store"), os.path.join(s.dir, "store.db"), str(n)], check=True)
    octets = os.path.getsize(os.path.join(s.dir, "store.db"))
    print("  %d licences made in %.0f s, %.2f GB" % (n, time.monotonic() - began, octets / 1e9), flush=True)
    starts = []
    for _ in range(3):
        began = time.monotonic()
        s.script("run")
        starts.append(time.monotonic() - began)
        if len(starts) < 3:
            s.script("stop")
    return s, octets


def cost(s, kind):
    """Server's processor time per call (of a pull and an inspection with the code that it needs), p50 and p99."""
    mix, codes = CALLS[kind]
    before = cpu(s.pid)
    r = subprocess.run([os.path.join(yz.BUILD, "yinzheng"), "bench", "load", "--config", os.path.join(s.dir, "client.ini"),
                        "--mix", mix, "--codes", os.path.join(s.dir, codes), "--stock", "0", "--rate", RATE, "--duration",
                        str(SECONDS), "--warm-up", "0", "--json"], check=True, capture_output=True, text=True)
    one = json.loads(r.stdout)["calls"][mix]
    return (cpu(s.pid) - before) * 1e6 / (one["ok"] or 1), one["p50_ms"], one["p99_ms"]


def main():
    out = {"small": SMALL, "large": LARGE, "calls": {}}
    stores = {}
    try:
        for name, n in (("small", SMALL), ("large", LARGE)):
            stores[name], out[name + "_octets"] = made(n)
        for kind in CALLS:
            got = {"small": [], "large": []}
            for turn in range(ROUNDS):
                for name in ("small", "large") if turn % 2 == 0 else ("large", "small"):
                    got[name].append(cost(stores[name], kind))
            us = {k: statistics.median(x[0] for x in v) for k, v in got.items()}
            p50 = {k: statistics.median(x[1] for x in v) for k, v in got.items()}
            out["calls"][kind] = {"small_us": us["small"], "large_us": us["large"], "times": us["large"] / us["small"],
                                  "small_p50_ms": p50["small"], "large_p50_ms": p50["large"]}
            print("  %-11s %6.0f µs and %6.0f µs: %.2f times; p50 %.2f and %.2f ms" % (
                kind, us["small"], us["large"], us["large"] / us["small"], p50["small"], p50["large"]), flush=True)
    finally:
        for s in list(yz.SERVERS):
            s.remove()
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")
    print("written: " + sys.argv[1])


main()
