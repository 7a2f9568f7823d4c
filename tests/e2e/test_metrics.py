"""Metrics as Prometheus scrapes them, health by part, GetStatus; and what an idle server costs."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
import unittest

import grpc
import yz
from std import health_pb2

SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9.]+(?:e[+-]?\d+)?)$')


class Scrape:
    """Strictly: every sample below its family's HELP and TYPE, and none twice."""

    def __init__(self, text):
        self.types, self.values, family = {}, {}, None
        assert text.endswith("\n"), "the last line has its end"
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                assert family not in self.types, family
                self.types[family] = None
                continue
            if line.startswith("# TYPE "):
                assert line.split(" ")[2] == family, line
                self.types[family] = line.split(" ")[3]
                continue
            m = SAMPLE.match(line)
            assert m, line
            name = m.group(1)
            if self.types[family] == "histogram":
                assert name in (family + "_bucket", family + "_sum", family + "_count"), line
            else:
                assert name == family, line
            labels = tuple(sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', m.group(3) or "")))
            assert (name, labels) not in self.values, line
            self.values[name, labels] = float(m.group(4))

    def get(self, name, **labels):
        return self.values.get((name, tuple(sorted(labels.items()))), 0.0)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.Server("[metrics]\nlisten = 127.0.0.1:0\n").prepare()
        cls.port = int(re.findall(r"event=serving .*metrics=(\d+)", cls.s.log())[-1])

    @classmethod
    def tearDownClass(cls):
        cls.s.remove()

    def fetch(self, method="GET", path="/metrics", body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            c.request(method, path, body)
            r = c.getresponse()
            return r.status, r.getheader("Content-Type"), r.read().decode()
        finally:
            c.close()

    def scrape(self):
        status, kind, text = self.fetch()
        self.assertEqual(status, 200)
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        return Scrape(text)


class Metrics(Case):
    def test_calls_are_counted_by_method_and_code(self):
        method = "yinzheng.v1.CatalogService/ListItems"
        before = self.scrape()
        for _ in range(7):
            self.s.call("window", "CatalogService.ListItems")
        for _ in range(3):
            with self.assertRaises(yz.Refused):
                self.s.call("stranger", "CatalogService.ListItems")
        after = self.scrape()

        def grown(name, **labels):
            return after.get(name, **labels) - before.get(name, **labels)
        self.assertEqual(grown("yinzheng_calls_total", method=method, code="OK"), 7)
        self.assertEqual(grown("yinzheng_calls_total", method=method, code="UNAUTHENTICATED"), 3)
        self.assertEqual(grown("yinzheng_call_seconds_count", method=method), 10)
        self.assertEqual(grown("yinzheng_refusals_total", reason="PRINCIPAL_UNKNOWN"), 3)
        self.assertGreater(grown("yinzheng_call_seconds_sum", method=method), 0)

    def test_histograms_add_up(self):
        self.s.call("window", "CatalogService.ListItems")
        got = self.scrape()
        seen = 0
        for name, labels in got.values:
            if name != "yinzheng_call_seconds_count":
                continue
            method = dict(labels)["method"]
            buckets = sorted((float(dict(k[1])["le"].replace("+Inf", "inf")), v) for k, v in got.values.items()
                             if k[0] == "yinzheng_call_seconds_bucket" and dict(k[1])["method"] == method)
            self.assertEqual([v for _, v in buckets], sorted(v for _, v in buckets))
            self.assertEqual(buckets[-1][0], float("inf"))
            self.assertEqual(buckets[-1][1], got.get(name, method=method))
            seen += 1
        self.assertGreater(seen, 3)

    def test_verdicts_commits_caches_certificates(self):
        before = self.scrape()
        self.s.call("window", "VerificationService.Verify", document=b"x" * 100)
        lic = yz.issue(self.s, yz.Holder(), "居民身份证")
        self.assertTrue(lic.id)
        after = self.scrape()
        self.assertEqual(after.get("yinzheng_verdicts_total", indication="TOTAL_FAILED") -
                         before.get("yinzheng_verdicts_total", indication="TOTAL_FAILED"), 1)
        self.assertGreater(after.get("yinzheng_commit_seconds_count"), before.get("yinzheng_commit_seconds_count"))
        self.assertGreater(after.get("yinzheng_cache_hits_total", cache="peers"), 0)
        self.assertGreater(after.get("yinzheng_cache_bytes", cache="peers"), 0)
        for name in ("seal", "chain", "licence", "certificate", "read_seal", "signer_table"):
            self.assertIn(("yinzheng_cache_hits_total", (("cache", name),)), after.values)
        for name in ("tls", "receipt", "verdict", "maker", "samr", "mnr"):
            self.assertGreater(after.get("yinzheng_certificate_days_left", certificate=name), 300)
        for name in ("admin", "read", "write"):
            self.assertIn(("yinzheng_queue_depth", (("class", name),)), after.values)
            self.assertIn(("yinzheng_queue_refused_total", (("class", name),)), after.values)
        self.assertGreaterEqual(after.get("yinzheng_connections"), 2)
        self.assertEqual(after.get("yinzheng_connections_limit"), 1000)
        self.assertEqual(after.get("yinzheng_health", part="writer"), 1)
        self.assertGreater(after.get("process_resident_memory_bytes"), 1e6)

    def test_the_store_tells_of_itself(self):
        before = self.scrape()
        for i in range(12):
            yz.issue(self.s, yz.Holder("印%02d" % i), "居民身份证")
        after = self.scrape()

        def grown(name, **labels):
            return after.get(name, **labels) - before.get(name, **labels)
        self.assertGreaterEqual(grown("yinzheng_store_batch_writes_sum"), 12)
        self.assertGreaterEqual(grown("yinzheng_store_batch_writes_count"), 1)
        self.assertGreaterEqual(grown("yinzheng_store_batch_writes_sum"), grown("yinzheng_store_batch_writes_count"))
        for name in ("yinzheng_store_write_seconds", "yinzheng_store_read_seconds"):
            self.assertGreater(grown(name + "_sum"), 0)
            self.assertEqual(grown(name + "_bucket", le="+Inf"), grown(name + "_count"))
        self.assertEqual(grown("yinzheng_store_write_seconds_count"), grown("yinzheng_store_batch_writes_count"))
        self.assertGreater(grown("yinzheng_store_read_seconds_count"), 0)
        self.assertIn(("yinzheng_store_queued", ()), after.values)
        shared = ("yinzheng_store_connects_total", "yinzheng_audit_unnumbered", "yinzheng_audit_unnumbered_seconds")
        for name in shared:
            self.assertEqual((name, ()) in after.values, yz.POSTGRES, name)
        if not yz.POSTGRES:
            return
        self.assertGreater(after.get("yinzheng_store_connects_total"), 3)
        for why in ("conflict", "lost", "exact"):
            self.assertIn(("yinzheng_store_retries_total", (("why", why),)), after.values)
        for _ in range(50):
            if self.scrape().get("yinzheng_audit_unnumbered") == 0:
                break
            time.sleep(0.1)
        self.assertEqual(self.scrape().get("yinzheng_audit_unnumbered_seconds"), 0)

    @unittest.skipUnless(yz.POSTGRES, "of PostgreSQL")
    def test_entries_that_get_no_number(self):
        """Somebody holds the sequencer's row: entries wait, the part says so, and all is well again after it."""
        with open(os.path.join(self.s.dir, "store.url"), encoding="utf-8") as f:
            url = f.read().strip()
        held = subprocess.Popen(["psql", "-qXAt", "-d", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        held.stdin.write("BEGIN; SELECT 'held' FROM sequencer FOR UPDATE;\n")
        held.stdin.flush()
        self.assertEqual(held.stdout.readline().strip(), "held")
        yz.issue(self.s, yz.Holder("等"), "居民身份证")
        worst = 0
        try:
            for _ in range(300):
                got = self.scrape()
                worst = max(worst, got.get("yinzheng_audit_unnumbered_seconds"))
                if got.get("yinzheng_health", part="sequencer") == 0:
                    break
                time.sleep(0.1)
            self.assertEqual(got.get("yinzheng_health", part="sequencer"), 0)
            self.assertEqual(got.get("yinzheng_health", part="store"), 1)
            self.assertGreater(worst, 5)
            self.assertGreater(got.get("yinzheng_audit_unnumbered"), 0)
        finally:
            held.stdin.write("ROLLBACK;\n\\q\n")
            held.stdin.close()
            held.wait(10)
            held.stdout.close()
        for _ in range(300):
            got = self.scrape()
            if got.get("yinzheng_health", part="sequencer") == 1:
                break
            time.sleep(0.1)
        self.assertEqual(got.get("yinzheng_health", part="sequencer"), 1)

    def test_promtool_agrees(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        r = subprocess.run(["promtool", "check", "metrics"], input=self.fetch()[2], text=True, capture_output=True,
                           check=False)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)

    def test_nothing_else_is_served(self):
        self.assertEqual(self.fetch(path="/")[0], 404)
        self.assertEqual(self.fetch(path="/metrics/../etc/passwd")[0], 404)
        self.assertEqual(self.fetch("POST", body="x" * 100)[0], 405)
        self.assertEqual(self.fetch("DELETE")[0], 405)
        self.assertEqual(self.fetch("HEAD")[2], "")

    def test_hostile_http(self):
        for text in (b"\0" * 100, b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n",
                     b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as c:
                try:
                    c.sendall(text)
                    c.recv(1000)
                except OSError:
                    pass
        self.scrape()

    def test_slow_readers_do_not_stop_others(self):
        idle = [socket.create_connection(("127.0.0.1", self.port), timeout=5) for _ in range(6)]
        for c in idle:
            c.sendall(b"GET /metrics HTTP/1.1\r\n")
        self.scrape()
        for c in idle:
            c.close()

    def test_no_listener_without_the_key(self):
        self.assertIn("metrics=0", yz.shared().log())


class Status(Case):
    def test_queues_caches_limits_parts(self):
        for _ in range(5):
            self.s.call("window", "CatalogService.ListItems")
        st = self.s.call("system", "AdminService.GetStatus")
        self.assertEqual([q.name for q in st.queues], ["admin", "read", "write"])
        caches = {c.name: c for c in st.caches}
        self.assertGreater(caches["peers"].hit_rate, 0)
        self.assertLessEqual(caches["peers"].hit_rate, 1)
        self.assertEqual(st.limits.connections, 1000)
        self.assertGreaterEqual(st.limits.connected, 2)
        self.assertEqual(st.limits.queue, 256)
        self.assertTrue(all(p.serving for p in st.parts), st.parts)
        self.assertGreater(st.calls_ok, 5)

    def test_the_command_line_shows_the_same(self):
        self.s.call("window", "CatalogService.ListItems")
        for cache in json.loads(self.s.cli("status", "--json", who="system").stdout)["caches"]:
            self.assertIsInstance(cache["hits"], int)
            self.assertTrue(0 <= cache["hit_rate"] <= 1, cache)
        shown = re.findall(r"hit_rate: (.*)", self.s.cli("status", who="system").stdout)
        self.assertTrue(shown)
        for rate in shown:
            self.assertTrue(0 <= float(rate) <= 1, rate)

    def check(self, service):
        fn = self.s.channel("window").unary_unary("/grpc.health.v1.Health/Check",
                                                  request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                                  response_deserializer=health_pb2.HealthCheckResponse.FromString)
        return fn(health_pb2.HealthCheckRequest(service=service), timeout=5).status

    def test_health_of_every_part(self):
        names = [p.name for p in self.s.call("system", "AdminService.GetStatus").parts]
        self.assertEqual(names[:4], ["store", "writer", "receipt-key", "sequencer"])
        for name in names:
            self.assertEqual(self.check(name), 1)
        with self.assertRaises(grpc.RpcError) as no:
            self.check("stor")
        self.assertEqual(no.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_idle_costs_next_to_nothing(self):
        def ticks():
            with open("/proc/%d/stat" % self.s.pid, encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        self.check("")
        time.sleep(0.5)
        before = ticks()
        time.sleep(4)
        self.assertLessEqual(ticks() - before, 8, "more than 2 % of a core while nobody asks")


class HealthParts(unittest.TestCase):
    @yz.lite_only  # it locks the file
    def test_a_writer_that_does_not_come_back_is_seen(self):
        """Somebody holds the database's write lock: reads go on, writes wait, and health says so."""
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        lock = subprocess.Popen(["sqlite3", os.path.join(s.dir, "store.db")], stdin=subprocess.PIPE, text=True)
        self.addCleanup(lock.wait)
        self.addCleanup(lock.kill)
        lock.stdin.write("BEGIN IMMEDIATE;\n")
        lock.stdin.flush()

        def check(service):
            fn = s.channel("window").unary_unary("/grpc.health.v1.Health/Check",
                                                 request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                                 response_deserializer=health_pb2.HealthCheckResponse.FromString)
            return fn(health_pb2.HealthCheckRequest(service=service), timeout=5).status
        for _ in range(150):
            if check("writer") == 2:
                break
            time.sleep(0.2)
        self.assertEqual((check("writer"), check("store"), check("receipt-key"), check("")), (2, 1, 1, 2))
        self.assertTrue(s.call("window", "CatalogService.ListItems").items)
        lock.stdin.write("ROLLBACK;\n.quit\n")
        lock.stdin.close()
        for _ in range(150):
            if check("writer") == 1:
                break
            time.sleep(0.2)
        self.assertEqual((check("writer"), check("")), (1, 1))
