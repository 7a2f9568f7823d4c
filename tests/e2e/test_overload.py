"""Too many calls, connections, half-sent things; deadlines; a store that lets wait; the end under all that."""
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

import grpc
import yz
from std import health_pb2
from yinzheng.v1 import common_pb2

EXHAUSTED, DEADLINE = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED
CHECK = "/grpc.health.v1.Health/Check"


def started(server_section, more=""):
    """A server with its own numbers in [server]."""
    s = yz.Server(start="configure+init")
    path = os.path.join(s.dir, "yinzhengd.ini")
    with open(path, encoding="utf-8") as f:
        text = f.read().replace("[service]", server_section + "[service]", 1)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + more)
    s.script("run")
    s.script("enrol")
    s.load_catalogue()
    return s


def health(s, timeout=5, service=""):
    fn = s.channel("audit").unary_unary(CHECK, request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                        response_deserializer=health_pb2.HealthCheckResponse.FromString)
    return fn(health_pb2.HealthCheckRequest(service=service), timeout=timeout).status


def tls(s, who="window"):
    """A connection with a handshake and HTTP/2's preface, and nothing more."""
    ctx = ssl.create_default_context(cafile=os.path.join(yz.PKI, "tls", "ca.crt"))
    ctx.load_cert_chain(os.path.join(yz.PKI, "tls", who + ".crt"), os.path.join(yz.PKI, "tls", who + ".key"))
    ctx.set_alpn_protocols(["h2"])
    c = ctx.wrap_socket(socket.create_connection(("127.0.0.1", s.port), timeout=10), server_hostname="localhost")
    c.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    return c


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """A header field as HPACK writes it without index and Huffman; both below 127 bytes."""
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def half_call(method):
    """HEADERS of a call without its message."""
    fields = [(":method", "POST"), (":scheme", "https"), (":path", method), (":authority", "localhost"),
              ("te", "trailers"), ("content-type", "application/grpc")]
    return frame(1, 4, 1, b"".join(literal(k, v) for k, v in fields))


class WriteLock:
    """Another process holds the database's write lock."""

    def __init__(self, s):
        self.p = subprocess.Popen(["sqlite3", os.path.join(s.dir, "store.db")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.p.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n")
        self.p.stdin.flush()
        assert self.p.stdout.readline().strip() == "held"

    def release(self):
        if self.p.poll() is None:
            self.p.stdin.write("ROLLBACK;\n.quit\n")
            self.p.stdin.close()
            self.p.wait(10)
            self.p.stdout.close()


def locked(case, s):
    if yz.POSTGRES:
        case.skipTest("of a store in a file")
    lock = WriteLock(s)
    case.addCleanup(lock.release)
    return lock


def issuing(case, server_section):
    """A server that has issued a licence, and the licence's holder."""
    s = started(server_section)
    case.addCleanup(s.remove)
    s.make_seal()
    h = yz.Holder()
    yz.issue(s, h, "居民身份证")
    return s, h


def issue_request(s, h):
    return s.request("issuer-samr", "LicenceService.Issue", type_code=yz.code_of("居民身份证"),
                     number="BH" + os.urandom(6).hex().upper(), holders=[h.message()], fields=h.fields("居民身份证"))


class Refusals(unittest.TestCase):
    def test_the_hint_is_a_trailer_and_a_retry_info(self):
        s = started("workers = 1\nqueue = 2\n")
        self.addCleanup(s.remove)
        req = s.request("issuer-samr", "VerificationService.Verify", document=b"x" * 2000000)
        fn, _ = s.stub("issuer-samr", "VerificationService.Verify")
        calls = [fn.future(req, timeout=30) for _ in range(100)]
        hints, refused = set(), [c for c in calls if c.code() == EXHAUSTED]
        self.assertTrue(refused)
        for c in refused:
            trailers = dict(c.trailing_metadata())
            status = common_pb2.Status.FromString(trailers["grpc-status-details-bin"])
            self.assertEqual([d.type_url for d in status.details],
                             ["type.googleapis.com/yinzheng.v1.Refusal", "type.googleapis.com/google.rpc.RetryInfo"])
            self.assertEqual(common_pb2.Refusal.FromString(status.details[0].value).reason, "OVERLOADED")
            hints.add(int(trailers["retry-after-ms"]))
            self.assertEqual(retry_info_ms(status.details[1].value), int(trailers["retry-after-ms"]))
        self.assertGreater(len(hints), min(len(refused) // 2, 5), "not all come back at the same time")
        self.assertTrue(all(250 <= h < 750 for h in hints), hints)

    def test_health_and_administration_go_first(self):
        s = started("workers = 2\nqueue = 5000\nwait_ms = 10000\n")
        self.addCleanup(s.remove)
        doc = b"x" * 1000000
        req = s.request("issuer-samr", "VerificationService.Verify", document=doc)
        fn, _ = s.stub("issuer-samr", "VerificationService.Verify")
        health(s)
        s.call("system", "AdminService.GetStatus")
        flood = [fn.future(req, timeout=60) for _ in range(300)]
        queued, ahead = 0, 0
        while not all(f.done() for f in flood):
            st = s.call("system", "AdminService.GetStatus")
            queued = max(queued, sum(q.queued for q in st.queues))
            self.assertEqual(health(s), 1)
            ahead += not all(f.done() for f in flood)
        self.assertGreater(queued, 0, "there was a queue to be overtaken")
        self.assertGreater(ahead, 0)
        self.assertTrue(all(f.code() == grpc.StatusCode.OK for f in flood))


def retry_info_ms(raw):
    """google.rpc.RetryInfo by hand."""
    def fields(b):
        i, out = 0, {}
        while i < len(b):
            tag, i = varint(b, i)
            v, i = varint(b, i)
            if tag & 7 == 2:
                out[tag >> 3], i = b[i:i + v], i + v
            else:
                out[tag >> 3] = v
        return out

    def varint(b, i):
        v = shift = 0
        while True:
            v |= (b[i] & 127) << shift
            shift, i = shift + 7, i + 1
            if b[i - 1] < 128:
                return v, i
    d = fields(fields(raw)[1])
    return d.get(1, 0) * 1000 + d.get(2, 0) // 1000000


class Waiting(unittest.TestCase):
    def test_calls_that_wait_for_a_commit_hold_no_thread(self):
        """Hundreds of writes wait; health, reads and administration go on with one worker."""
        s, h = issuing(self, "workers = 1\nqueue = 2000\ncommits = 4096\nwait_ms = 10000\n")
        channels = [s.new_channel("issuer-samr", [("grpc.use_local_subchannel_pool", 1)]) for _ in range(10)]
        lock = locked(self, s)
        calls, n = [], 60 if "san-" in yz.BUILD else 300
        for i in range(n):
            fn, _ = s.stub("issuer-samr", "LicenceService.Issue", channels[i % 10])
            calls.append(fn.future(issue_request(s, h), timeout=60))
        parked = 0
        for _ in range(200):
            parked = max(parked, s.call("system", "AdminService.GetStatus").limits.parked)
            if parked >= n * 3 // 4:
                break
            time.sleep(0.05)
        self.assertGreaterEqual(parked, n * 3 // 4)
        slowest = 0
        for _ in range(20):
            t = time.monotonic()
            self.assertEqual(health(s, service="store"), 1)
            self.assertTrue(s.call("window", "CatalogService.ListItems").items)
            slowest = max(slowest, time.monotonic() - t)
        self.assertLess(slowest, 1)
        # SQLite itself gives up after three seconds; nothing else may have ended.
        self.assertEqual({c.code() for c in calls if c.done()} - {grpc.StatusCode.UNAVAILABLE}, set())
        with open("/proc/%d/status" % s.pid, encoding="ascii") as f:
            threads = int(re.search(r"Threads:\s*(\d+)", f.read()).group(1))
        self.assertLess(threads, 24)
        lock.release()
        codes = [c.code() for c in calls]
        self.assertEqual(set(codes) - {grpc.StatusCode.UNAVAILABLE}, {grpc.StatusCode.OK})
        for c in channels:
            c.close()

    def test_a_call_whose_deadline_passed_is_not_executed(self):
        s, h = issuing(self, "wait_ms = 10000\n")
        before = s.call("system", "AdminService.GetStatus").audit_entries
        lock = locked(self, s)
        fn, _ = s.stub("issuer-samr", "LicenceService.Issue")
        requests = [issue_request(s, h) for _ in range(20)]
        calls = [fn.future(r, timeout=0.4) for r in requests]
        self.assertEqual({c.code() for c in calls}, {DEADLINE})
        time.sleep(0.3)
        lock.release()
        time.sleep(1)
        after = s.call("system", "AdminService.GetStatus").audit_entries
        self.assertLessEqual(after - before, 1, "at most what the writer had begun")
        for r in requests[1:]:
            self.assertFalse(s.send("issuer-samr", "LicenceService.Issue", r).replayed)

    def test_writes_on_their_way_are_bounded(self):
        s, h = issuing(self, "commits = 16\nwait_ms = 10000\n")
        lock = locked(self, s)
        fn, _ = s.stub("issuer-samr", "LicenceService.Issue")
        calls = []
        for _ in range(60):
            calls.append(fn.future(issue_request(s, h), timeout=60))
            time.sleep(0.01)
        time.sleep(0.5)
        self.assertTrue(s.call("window", "CatalogService.ListItems").items, "reads are not refused")
        lock.release()
        codes = [c.code() for c in calls]
        self.assertEqual(set(codes), {grpc.StatusCode.OK, EXHAUSTED})
        self.assertGreaterEqual(codes.count(EXHAUSTED), 30)
        self.assertGreaterEqual(codes.count(grpc.StatusCode.OK), 16)


class Connections(unittest.TestCase):
    def test_their_number_is_capped(self):
        s = started("connections = 40\n")
        self.addCleanup(s.remove)
        s.close()
        open_ones = []
        for _ in range(80):
            try:
                open_ones.append(tls(s))
            except (OSError, ssl.SSLError):
                pass
        self.assertLessEqual(len(open_ones), 42)
        self.assertGreaterEqual(len(open_ones), 25)
        for c in open_ones:
            c.close()
        time.sleep(0.5)
        st = s.call("system", "AdminService.GetStatus")
        self.assertEqual(st.limits.connections, 40)
        self.assertLess(st.limits.connected, 10)
        time.sleep(2.5)
        self.assertIn("event=connections", s.log())

    def test_an_idle_one_is_cheap(self):
        s = started("")
        self.addCleanup(s.remove)

        def resident():
            with open("/proc/%d/smaps_rollup" % s.pid, encoding="ascii") as f:
                return int(re.search(r"^Anonymous:\s*(\d+)", f.read(), re.M).group(1))
        warm = [tls(s) for _ in range(50)]
        time.sleep(1)
        before = resident()
        more = [tls(s) for _ in range(400)]
        time.sleep(1)
        each = (resident() - before) / len(more)
        print("    an idle connection: %.1f KiB" % each)
        for c in warm + more:
            c.close()
        if "san-" not in yz.BUILD:
            self.assertLessEqual(each, 110)

    def test_half_open_handshakes_time_out(self):
        s = yz.shared()
        raw = socket.create_connection(("127.0.0.1", s.port), timeout=20)
        t = time.monotonic()
        self.assertEqual(raw.recv(10), b"", "closed by the server")
        self.assertLess(time.monotonic() - t, 15)
        raw.close()


class Ends(unittest.TestCase):
    def stop_time(self, s):
        t = time.monotonic()
        os.kill(s.pid, signal.SIGTERM)
        while "event=stopped" not in s.log():
            time.sleep(0.02)
            self.assertLess(time.monotonic() - t, 20)
        return time.monotonic() - t

    def test_half_sent_calls_do_not_use_up_the_grace_time(self):
        s = started("grace_seconds = 15\n")
        self.addCleanup(s.remove)
        half = [tls(s) for _ in range(5)]
        for c in half:
            c.sendall(half_call("/yinzheng.v1.CatalogService/ListItems"))
        time.sleep(0.3)
        self.assertLess(self.stop_time(s), 5)
        for c in half:
            c.close()

    def test_idle_connections_do_not_either(self):
        s = started("grace_seconds = 15\n")
        self.addCleanup(s.remove)
        idle = [tls(s) for _ in range(20)]
        time.sleep(0.3)
        self.assertLess(self.stop_time(s), 5)
        for c in idle:
            c.close()

    def test_calls_under_way_are_answered(self):
        s, h = issuing(self, "grace_seconds = 15\nwait_ms = 10000\n")
        lock = locked(self, s)
        fn, _ = s.stub("issuer-samr", "LicenceService.Issue")
        calls = [fn.future(issue_request(s, h), timeout=60) for _ in range(30)]
        time.sleep(0.7)
        stopper = threading.Thread(target=self.stop_time, args=(s,))
        stopper.start()
        time.sleep(1)
        lock.release()
        stopper.join()
        self.assertEqual({c.code() for c in calls}, {grpc.StatusCode.OK})

    def test_a_signal_during_the_start(self):
        s = yz.Server(start="configure+init")
        self.addCleanup(s.remove)
        ends = set()
        for i in range(40):
            with open(os.path.join(s.dir, "early.log"), "ab") as log:
                p = subprocess.Popen([os.path.join(yz.BUILD, "yinzhengd"), "run", "--config",
                                      os.path.join(s.dir, "yinzhengd.ini")], stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log)
            time.sleep((0.05 if "san-" in yz.BUILD else 0.005) * i)
            p.send_signal(signal.SIGTERM)
            ends.add(p.wait(20))
        self.assertIn(0, ends)
        self.assertLessEqual(ends, {0, -signal.SIGTERM}, "in order, or before main() began")
        s.script("run")
        self.assertEqual(health(s), 1)
