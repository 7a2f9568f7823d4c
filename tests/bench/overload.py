"""make overload: what becomes of the service when three times as much is asked of it as it can do.

In turns: pulls as fast as they are answered (closed loop, the maximum), then pulls at three times that rate (open loop,
whatever the answers). Codes are made before each turn and are no part of the load. Two ratios per round: pulls that were
answered well under overload to those at the maximum (aim: at least 0.5), and the p99 of those, from when they were sent, to
the p99 at the maximum (aim: at most 2). The medians of the rounds count. A generator that sends three times as much takes three times the
processor: so that this is not taken from the server, each has one half of the processors for itself (BENCH_SHARED=1: both
have all). docs/benchmarks.md says more.
"""
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import load_setup  # noqa: E402
import yz  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
HOLDERS = int(os.environ.get("BENCH_HOLDERS", "100"))
IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", "64"))
TIMES = float(os.environ.get("BENCH_TIMES", "3"))
MORE = os.environ.get("BENCH_SERVER", "").replace("\\n", "\n")  # lines for [server], to try other limits
SHARED = os.environ.get("BENCH_SHARED", "") == "1"
CORES = sorted(os.sched_getaffinity(0))
APART = not SHARED and len(CORES) > 1
AIMS = {"goodput": 0.5, "p99": 2.0}


def say(text):
    print(text, flush=True)


def keep_apart(server):
    """The server's threads to the first half of the processors; what is started from here on to the others."""
    if not APART:
        return
    half = len(CORES) // 2
    for task in os.listdir("/proc/%d/task" % server.pid):
        os.sched_setaffinity(int(task), CORES[:half])
    os.sched_setaffinity(0, CORES[half:])


def pulls(server, *more):
    """One turn of the generator."""
    cmd = [os.path.join(yz.BUILD, "yinzheng"), "bench", "load", "--config", os.path.join(server.dir, "client.ini"), "--mix",
           "pull", "--codes", os.path.join(server.dir, "use.json"), "--duration", str(SECONDS), "--warm-up", "1", "--json",
           *more]
    r = subprocess.run(cmd, capture_output=True, text=True, check=False)
    if r.returncode != 0:
        raise SystemExit("%s\n%s%s" % (" ".join(cmd), r.stdout, r.stderr))
    out = json.loads(r.stdout)
    one = out["calls"]["pull"]
    strange = [x for x in one["refusals"] if x["reason"] not in ("OVERLOADED", "DEADLINE")]
    if strange:
        say("  refused otherwise: %s" % strange)
    if out["codes_beside"]:
        say("  note: %d codes were made beside the load" % out["codes_beside"])
    return {"per_s": one["per_s"], "p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"], "max_ms": one["max_ms"], "sent_p99_ms": one["sent_p99_ms"],
            "refused_per_s": one["refused"] / out["seconds"], "late_ms": out["late_ms"],
            "generator_us": out["generator_cpu_us"]}


def stock(rate):
    return ["--stock", str(int(rate * (SECONDS + 1.5)) + 500)]


def line(what, one):
    say("  %-14s %7.0f/s  p50 %7.2f ms  p99 %7.2f ms (sent: %7.2f)  refused %7.0f/s  generator %5.0f µs a good answer, %.1f ms late" % (
        what, one["per_s"], one["p50_ms"], one["p99_ms"], one["sent_p99_ms"], one["refused_per_s"], one["generator_us"], one["late_ms"]))


def one_round(server, guess):
    best = pulls(server, "--concurrency", str(IN_FLIGHT), *stock(guess * 1.3))
    line("maximum", best)
    rate = max(1, int(best["per_s"] * TIMES))
    more = pulls(server, "--rate", str(rate), *stock(rate))
    line("at %d/s" % rate, more)
    out = {"maximum": best, "offered_per_s": rate, "overload": more, "goodput_ratio": more["per_s"] / best["per_s"],
           "p99_ratio": more["sent_p99_ms"] / best["sent_p99_ms"], "p99_from_due_ratio": more["p99_ms"] / best["p99_ms"]}
    say("  goodput %.2f of the maximum, p99 %.2f times that of the maximum" % (out["goodput_ratio"], out["p99_ratio"]))
    return out


def main():
    server = yz.Server(extra="[log]\nlevel = error\n[server]\n" + MORE + "\n")
    load_setup.prepare(server, HOLDERS)
    keep_apart(server)
    rounds, guess = [], 2500
    for turn in range(ROUNDS):
        say("round %d" % (turn + 1))
        rounds.append(one_round(server, guess))
        guess = rounds[-1]["maximum"]["per_s"]
    out = {"times": TIMES, "in_flight": IN_FLIGHT, "seconds": SECONDS, "apart": APART, "store": "postgres" if yz.POSTGRES else "sqlite",
           "goodput_ratio": statistics.median(r["goodput_ratio"] for r in rounds),
           "p99_ratio": statistics.median(r["p99_ratio"] for r in rounds), "rounds": rounds}
    say("at %g times the maximum: goodput %.2f (aim: at least %.1f%s), p99 %.2f (aim: at most %.0f%s)" % (
        TIMES, out["goodput_ratio"], AIMS["goodput"], "" if out["goodput_ratio"] >= AIMS["goodput"] else ", missed",
        out["p99_ratio"], AIMS["p99"], "" if out["p99_ratio"] <= AIMS["p99"] else ", missed"))
    server.remove()
    os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


main()
