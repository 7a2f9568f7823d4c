"""make bench-load: how fast the service is, beside the rate of calls that do nothing.

Server and generator share this machine; every call goes over mutual TLS; what must be durable is on the disk before it is
answered. Calls of all kinds are measured in turns (null, verify, issue code, pull …) and each rate is divided by the mean
of the null rates before and after it; the median of the rounds counts, so that what else runs here disturbs the ratios
little. Then each kind at half of its own maximum, at a constant rate, for latencies. docs/benchmarks.md says more.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import load_setup  # noqa: E402
import yz  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
HOLDERS = int(os.environ.get("BENCH_HOLDERS", "200"))
IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", "128"))
TICK = os.sysconf("SC_CLK_TCK")
KINDS = {  # name: what the generator is told
    "null": ("null", []),
    "verify": ("verify", ["--document", "2k", "--brief"]),
    "verify_report": ("verify", ["--document", "2k"]),
    "verify_16k": ("verify", ["--document", "16k", "--brief"]),
    "issue_code": ("show", ["--codes", "show.json"]),
    "issue_use_code": ("show", ["--codes", "use.json"]),
    "pull": ("pull", ["--codes", "use_one.json", "--brief"]),
    "pull_report": ("pull", ["--codes", "use_one.json"]),
    "pull_three": ("pull", ["--codes", "use.json", "--brief"]),
    "inspect": ("inspect", ["--codes", "show.json", "--brief"]),
}
PARTS = {"sqlite": [k for k in KINDS if k != "null"], "postgres": ["issue_code", "pull", "pull_report", "pull_three"]}
AIMS = {"sqlite": {"verify": 0.5, "issue_code": 0.25, "pull": 0.25}, "postgres": {"pull": 0.12}}
BY_STORE = ("pull", "pull_report", "pull_three")  # named by their store, also on SQLite


def say(text):
    print(text, flush=True)


def cpu_of(pids):
    """User and system seconds of these processes."""
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/stat" % pid, encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / TICK


def memory_of(pid, field):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field))  # KiB


def database_pids():
    """The PostgreSQL that this run started: its first process and that one's children. None on SQLite."""
    url = os.environ.get("YZ_PG_URL")
    if not url or not yz.POSTGRES:
        return []
    out = subprocess.run(["psql", "-qAtX", "-d", url, "-c", "SHOW data_directory"], check=True, capture_output=True,
                         text=True).stdout
    with open(os.path.join(out.strip(), "postmaster.pid"), encoding="ascii") as f:
        return [int(f.readline())]


def with_children(pids):
    found = list(pids)
    for pid in pids:
        r = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
        found += [int(x) for x in r.stdout.split()]
    return found


def redeems(kind):
    return KINDS[kind][0] in ("pull", "inspect")


class Bench:
    def __init__(self):
        # What comes late in a heap, after the machine stood still, shall wait and be counted, not be refused.
        self.server = yz.Server(extra="[log]\nlevel = error\n[server]\nwait_ms = 1000\ncommits = 1024\nqueue = 4096\n")
        load_setup.prepare(self.server, HOLDERS)
        self.database = database_pids()

    def load(self, kind, seconds, *more):
        """One run of the generator, with the processor time of each part per good answer."""
        return self.run(*KINDS[kind], seconds, *more)

    def run(self, mix, options, seconds, *more):
        cmd = [os.path.join(yz.BUILD, "yinzheng"), "bench", "load", "--config", os.path.join(self.server.dir, "client.ini"),
               "--mix", mix, "--duration", str(seconds), "--warm-up", "1", "--json",
               *[x if x.startswith("--") else os.path.join(self.server.dir, x) for x in options], *more]
        before = self.cpu()
        r = subprocess.run(cmd, capture_output=True, text=True, check=False)
        after = self.cpu()
        if r.returncode != 0:
            raise SystemExit("%s\n%s%s" % (" ".join(cmd), r.stdout, r.stderr))
        out = json.loads(r.stdout)
        out["one"] = out["calls"][mix]
        out["cpu_s"] = {part: after[part] - before[part] for part in after}
        return out

    def cpu(self):
        return {"server": cpu_of([self.server.pid]), "database": cpu_of(with_children(self.database))}

    def codes_for(self, kind, rate, seconds):
        """Enough codes that none is made beside the load."""
        return ["--stock", str(int(rate * (seconds + 1) * 1.3) + 200)] if redeems(kind) else []


def maximum(b, kinds):
    """Closed loop, in turns. {kind: rate}, {kind: ratio}, the null rate."""
    rates = {k: [] for k in kinds}
    ratios = {k: [] for k in kinds}
    nulls = []
    guess = {k: 4000 for k in kinds}
    for turn in range(ROUNDS):
        before = b.load("null", SECONDS, "--concurrency", str(IN_FLIGHT))["one"]["per_s"]
        nulls.append(before)
        for k in kinds:
            one = b.load(k, SECONDS, "--concurrency", str(IN_FLIGHT), *b.codes_for(k, guess[k], SECONDS))
            if one["verify_indication"] not in (None, "TOTAL_PASSED"):
                raise SystemExit("the document does not verify: %s" % one["verify_indication"])
            after = b.load("null", max(1, SECONDS // 2), "--concurrency", str(IN_FLIGHT))["one"]["per_s"]
            nulls.append(after)
            rate = one["one"]["per_s"]
            guess[k] = rate * 1.2
            rates[k].append(rate)
            ratios[k].append(rate / ((before + after) / 2))
            say("  round %d  %-11s %8.0f/s  %.3f of %.0f/s%s" % (
                turn + 1, k, rate, ratios[k][-1], (before + after) / 2,
                "  (refused: %d)" % one["one"]["refused"] if one["one"]["refused"] else ""))
            before = after
    mid = statistics.median
    return {k: mid(v) for k, v in rates.items()}, {k: mid(v) for k, v in ratios.items()}, mid(nulls)


def half(b, rates):
    """Open loop at half of the maximum: latencies, and what a call costs each part."""
    out = {}
    for k, rate in rates.items():
        at = max(1, int(rate / 2))
        one = b.load(k, SECONDS + 2, "--rate", str(at), *b.codes_for(k, at, SECONDS + 2))
        calls = one["one"]["ok"] or 1
        out[k] = {"rate": at, "p50_ms": one["one"]["p50_ms"], "p99_ms": one["one"]["p99_ms"],
                  "p999_ms": one["one"]["p999_ms"], "max_ms": one["one"]["max_ms"], "refused": one["one"]["refused"],
                  "late_ms": one["late_ms"], "generator_us": one["generator_cpu_us"]}
        out[k].update(cost(b, k, at))
        say("  %-11s %7d/s  p50 %7.2f ms  p99 %7.2f ms  server %6.0f µs  database %6.0f µs  generator %5.0f µs%s" % (
            k, at, out[k]["p50_ms"], out[k]["p99_ms"], out[k]["server_us"], out[k]["database_us"], out[k]["generator_us"],
            "  (refused: %d of %d)" % (one["one"]["refused"], one["one"]["refused"] + calls) if one["one"]["refused"]
            else ""))
    return out


def cost(b, kind, rate):
    """Processor time of server and database per call: of a run without stock less what the codes of such a run cost."""
    run = b.load(kind, SECONDS, "--rate", str(rate), "--stock", "0", "--warm-up", "0")
    calls = run["one"]["ok"] or 1
    spent = {p: run["cpu_s"][p] * 1e6 / calls for p in run["cpu_s"]}
    if redeems(kind):
        more = b.run("show", KINDS[kind][1], SECONDS, "--rate", str(rate), "--warm-up", "0")
        for p in spent:
            spent[p] -= more["cpu_s"][p] * 1e6 / (more["one"]["ok"] or 1)
    return {"server_us": spent["server"], "database_us": spent["database"]}


def memory(b, rates):
    """Resident memory at full load with 200 connections."""
    rest = memory_of(b.server.pid, "VmRSS")
    r = b.load("pull", SECONDS, "--connections", "100", "--concurrency", str(IN_FLIGHT),
               *b.codes_for("pull", rates["pull"], SECONDS))
    out = {"rest_mib": rest / 1024, "full_load_mib": memory_of(b.server.pid, "VmHWM") / 1024, "connections": 200,
           "pulls_per_s": r["one"]["per_s"]}
    say("  resident: %.0f MiB before, at most %.0f MiB with 200 connections and %.0f pulls/s" % (
        out["rest_mib"], out["full_load_mib"], out["pulls_per_s"]))
    return out


def idle(n=800):
    """What an idle connection costs a new server: its memory with n of them, less without."""
    server = yz.Server()
    subprocess.run([os.path.join(yz.BUILD, "yinzheng"), "bench", "load", "--config", os.path.join(server.dir, "client.ini"),
                    "--mix", "null", "-n", "20", "-d", "1", "-w", "0", "--json"], check=True, capture_output=True)
    time.sleep(1)
    before = memory_of(server.pid, "VmRSS")
    p = subprocess.Popen([os.path.join(yz.BUILD, "yinzheng"), "bench", "load", "--config",
                          os.path.join(server.dir, "client.ini"), "--mix", "null", "-n", str(n), "--rate", "1", "-d", "60",
                          "-w", "0", "--json"], stdout=subprocess.DEVNULL)
    for _ in range(300):
        time.sleep(0.2)
        fds = len(os.listdir("/proc/%d/fd" % server.pid))
        if fds > n:
            break
    time.sleep(3)
    after = memory_of(server.pid, "VmRSS")
    p.send_signal(2)
    p.wait()
    server.remove()
    out = {"connections": n, "kib_each": (after - before) / n}
    say("  an idle connection: %.0f KiB (%d of them)" % (out["kib_each"], n))
    return out


def start_time(licences):
    """From exec to the first answer about health, with so many licences."""
    folder = tempfile.mkdtemp(prefix="start-", dir=os.path.join(yz.BUILD, "e2e"))
    server = yz.Server(folder=folder, start="configure+init")
    maker = os.path.join(yz.BUILD, "make_store")
    subprocess.run([maker, os.path.join(folder, "store.db"), str(licences)], check=True,
                   capture_output=True)
    took = []
    for _ in range(5):
        port = os.path.join(folder, "port")
        if os.path.exists(port):
            os.remove(port)
        began = time.monotonic()
        p = subprocess.Popen([os.path.join(yz.BUILD, "yinzhengd"), "run", "--config", os.path.join(folder, "yinzhengd.ini")],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (os.path.exists(port) and os.path.getsize(port) > 0):
            time.sleep(0.001)
        took.append((time.monotonic() - began) * 1000)
        p.terminate()
        p.wait()
    size = os.path.getsize(os.path.join(folder, "store.db"))
    shutil.rmtree(folder, ignore_errors=True)
    yz.SERVERS.remove(server)
    out = {"licences": licences, "ms": statistics.median(took), "octets_per_licence": size / licences}
    say("  start to serving with %d licences: %.0f ms" % (licences, out["ms"]))
    return out


def show(rates, ratios, wanted):
    for k, ratio in ratios.items():
        say("  %-11s %8.0f/s  %.3f of the null rate%s" % (
            k, rates[k], ratio, "" if k not in wanted else "  (aim: %.2f%s)" % (
                wanted[k], "" if ratio >= wanted[k] else ", missed")))


def named(kind, part):
    return kind if part == "sqlite" and kind not in BY_STORE else kind + "_" + part


def main():
    part = sys.argv[1]
    path = sys.argv[2]
    out = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            out = json.load(f)
    b = Bench()
    kinds, wanted = PARTS[part], AIMS[part]
    say("%s: as fast as they are answered, %d in flight" % (part, IN_FLIGHT))
    rates, ratios, null = maximum(b, kinds)
    say("null calls: %.0f/s" % null)
    show(rates, ratios, wanted)
    say("%s: at half of the maximum" % part)
    halves = half(b, {"null": null, **rates} if part == "sqlite" else rates)
    out.update({named(k, part) + "_ratio": v for k, v in ratios.items()})
    if part == "sqlite":
        out["null_per_s"] = null
        out["memory"] = memory(b, rates)
    else:
        out["null_postgres_per_s"] = null
    out[part] = {"rates": rates, "half": halves, "in_flight": IN_FLIGHT, "seconds": SECONDS, "rounds": ROUNDS}
    for k, h in halves.items():
        out[named(k, part) + "_p50_ms"], out[named(k, part) + "_p99_ms"] = h["p50_ms"], h["p99_ms"]
    b.server.remove()
    if part == "sqlite":
        out["idle_connection"] = idle()
        if os.path.exists(os.path.join(yz.BUILD, "make_store")):
            out["start"] = start_time(int(os.environ.get("BENCH_LICENCES", "1000000")))
    with open(path, "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1, ensure_ascii=False)
        f.write("\n")


main()
