"""Mixed load for a long time, beside clients that cancel, reset, read slowly and talk nonsense. The server's memory and
descriptors must stay as they are, and no call that was in order may go wrong.

usage: (by run.sh) soak.py [SECONDS]      (1800; `make soak`)
"""
import json
import os
import random
import secrets
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))

import grpc  # noqa: E402
import load_setup  # noqa: E402
import yz  # noqa: E402

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 1800
RATE = int(os.environ.get("SOAK_RATE", "400"))
SAMPLE = 2
GROWTH_KIB = 3 * 1024  # what the level may rise from the third quarter to the last; caches and arenas fill before
THREADS = 8            # that gRPC may add to its own pools


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        lines = dict(line.split(":", 1) for line in f)
    return {"rss": int(lines["VmRSS"].split()[0]), "threads": int(lines["Threads"]),
            "fds": len(os.listdir("/proc/%d/fd" % pid))}


class Bad(threading.Thread):
    """Does one kind of mischief again and again; what it does is counted, what it gets back does not matter."""

    def __init__(self, server, mischief):
        super().__init__(daemon=True)
        self.server, self.mischief, self.done, self.count = server, mischief, False, 0

    def run(self):
        while not self.done:
            try:
                self.mischief(self.server)
            except (OSError, ssl.SSLError, grpc.RpcError, yz.Refused, ValueError):
                pass
            self.count += 1
            time.sleep(random.uniform(0, 0.1))


def connect(server):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
    return s


def tls(server, who="window", alpn="h2"):
    context = ssl.create_default_context(cafile=os.path.join(yz.PKI, "tls", "ca.crt"))
    context.set_alpn_protocols([alpn])
    if who is not None:
        context.load_cert_chain(os.path.join(yz.PKI, "tls", who + ".crt"), os.path.join(yz.PKI, "tls", who + ".key"))
    return context.wrap_socket(connect(server), server_hostname="localhost")


def nonsense(server):
    with connect(server) as s:
        s.sendall(secrets.token_bytes(random.randrange(1, 2000)))


def half_handshake(server):
    with connect(server) as s:
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + secrets.token_bytes(random.randrange(200)))
        time.sleep(random.uniform(0, 0.3))


def no_certificate(server):
    with tls(server, None) as s:
        s.recv(100)


def bad_frames(server):
    with tls(server) as s:
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        for _ in range(random.randrange(1, 20)):
            n = random.randrange(64)
            s.sendall(struct.pack(">I", n)[1:] + bytes([random.randrange(12), random.randrange(256)]) +
                      struct.pack(">I", random.randrange(10)) + secrets.token_bytes(n))


def reset_under_way(server):
    with tls(server) as s:
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        time.sleep(random.uniform(0, 0.05))


def cancel(server):
    fn, _ = server.stub("window", "VerificationService.Verify")
    req = server.request("window", "VerificationService.Verify", document=b"x" * random.randrange(1, 100000))
    call = fn.future(req, timeout=5)
    time.sleep(random.uniform(0, 0.003))
    call.cancel()


def short_deadline(server):
    yz.preview(server, yz.Holder(), load_setup.ITEM, timeout=random.uniform(0.0005, 0.005))


def wrong(server):
    yz.pull(server, "YZ1" + secrets.token_hex(16).upper(), load_setup.ITEM)


def undecodable(server):
    server.send("window", "WindowService.Pull", secrets.token_bytes(random.randrange(1, 300)))


def stranger(server):
    server.call("stranger", "WindowService.GetReceipt", receipt_id="x")


def slow_reader(server):
    """Sends documents on a stream and does not read the verdicts for a while."""
    _, rep = server.classes("VerificationService.VerifyStream")
    channel = server.new_channel("window", [("grpc.use_local_subchannel_pool", 1)])
    fn = channel.stream_stream("/yinzheng.v1.VerificationService/VerifyStream",
                               request_serializer=lambda m: m.SerializeToString(), response_deserializer=rep.FromString)
    cls, _ = server.classes("VerificationService.VerifyStream")
    req = cls(id="1")
    req.request.document = b"y" * 1000
    stream = fn(iter([req] * 200), timeout=10)
    time.sleep(random.uniform(0.1, 1))
    for i, _ in enumerate(stream):
        if i > random.randrange(200):
            stream.cancel()
            break
    channel.close()


MISCHIEF = (nonsense, half_handshake, no_certificate, bad_frames, reset_under_way, cancel, short_deadline, wrong,
            undecodable, stranger, slow_reader)


def good_load(server):
    """Open loop, all kinds of calls; its account as JSON."""
    return subprocess.Popen([os.path.join(yz.BUILD, "yinzheng"), "bench", "load", "--config",
                             os.path.join(server.dir, "client.ini"), "--mix", "null=1,verify=3,show=3,pull=3,inspect=2",
                             "--rate", str(RATE), "--duration", str(SECONDS), "--warm-up", "2", "--connections", "16", "--stock", "0",
                             "--document", os.path.join(server.dir, "2k"), "--codes",
                             os.path.join(server.dir, "codes.json"), "--json"],
                            stdout=subprocess.PIPE, stderr=open(os.path.join(server.dir, "load.log"), "wb"),
                            stdin=subprocess.DEVNULL, text=True)


def level(samples, key):
    values = sorted(s[key] for s in samples)
    return values[len(values) // 2]


def judge(samples, end, begin):
    quarter = max(1, len(samples) // 4)
    levels = [level(samples[i * quarter:(i + 1) * quarter], "rss") for i in range(4)]
    last = samples[-quarter:]
    print("  resident memory by quarters: %s MiB; highest %.1f" % (
        ", ".join("%.1f" % (x / 1024) for x in levels), max(s["rss"] for s in samples) / 1024))
    print("  descriptors: %d before, %d under load, %d after; threads %d, %d, %d" % (
        begin["fds"], level(last, "fds"), end["fds"], begin["threads"], level(last, "threads"), end["threads"]))
    faults = []
    if levels[3] > levels[2] + GROWTH_KIB:
        faults.append("memory grows")
    if end["fds"] > begin["fds"] + 8:
        faults.append("descriptors are left")
    if end["threads"] > begin["threads"] + THREADS:
        faults.append("threads are left")
    return faults


def judge_load(out):
    account = json.loads(out.splitlines()[-1])
    refused = {}
    for name, kind in account["calls"].items():
        print("  %-8s %8d answered, p50 %.1f ms, p99 %.1f ms" % (name, kind["ok"], kind["p50_ms"], kind["p99_ms"]))
        for r in kind["refusals"]:
            refused[(name, r["status"], r["reason"])] = r["count"]
    for key, n in refused.items():
        print("  refused: %s %s %s: %d" % (*key, n))
    # A machine that is too slow for the rate says so; that is not the server's fault, but everything else is.
    return ["good calls were refused: %s" % (key,) for key in refused if key[2] != "OVERLOADED"]


def main():
    server = yz.Server(extra="[limits]\noperator_per_minute = 0\nprincipal_per_minute = 0\n")
    load_setup.prepare(server, 100)
    print("soak: %d s at %d calls a second, %d kinds of mischief" % (SECONDS, RATE, len(MISCHIEF)), flush=True)
    time.sleep(2)
    server.close()
    time.sleep(1)
    begin = status_of(server.pid)
    load, bad = good_load(server), [Bad(server, m) for m in MISCHIEF]
    for b in bad:
        b.start()
    samples, started = [], time.monotonic()
    while load.poll() is None:
        time.sleep(SAMPLE)
        samples.append(status_of(server.pid))
        if int(time.monotonic() - started) % 60 < SAMPLE:
            print("  %4d s  %s" % (time.monotonic() - started, status_of(server.pid)), flush=True)
    for b in bad:
        b.done = True
    for b in bad:
        b.join(20)
    server.close()
    time.sleep(15)  # handshakes that nobody ends are given up after 10 s
    print("  mischief: " + ", ".join("%s %d" % (b.mischief.__name__, b.count) for b in bad))
    faults = judge(samples, status_of(server.pid), begin) + judge_load(load.stdout.read())
    if load.returncode != 0:
        faults.append("the load ended with %d" % load.returncode)
    check = subprocess.run([os.path.join(yz.BUILD, "yinzhengd"), "check", "--config",
                            os.path.join(server.dir, "yinzhengd.ini"), "--store"], capture_output=True, text=True, check=False)
    if check.returncode != 0:
        faults.append("the store: " + check.stderr)
    errors = [line for line in server.log().splitlines() if "level=error" in line]
    faults += ["logged: " + line for line in errors[:5]]
    server.remove()
    for f in faults:
        print("soak: FAILED: " + f)
    print("soak: %s" % ("failed" if faults else "flat"))
    sys.exit(1 if faults else 0)


main()
