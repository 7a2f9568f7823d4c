"""SIGHUP: certificates, trust list, limits and log level change while calls and streams go on; what is wrong changes
nothing."""
import os
import re
import shutil
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


def new_server_cert(folder, name):
    """One more certificate for localhost below the same CA."""
    base = os.path.join(folder, name)
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    base + ".key", "-out", base + ".csr", "-subj", "/CN=localhost"], check=True, capture_output=True)
    with open(base + ".ext", "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    subprocess.run(["openssl", "x509", "-req", "-in", base + ".csr", "-CA", os.path.join(yz.PKI, "tls", "ca.crt"),
                    "-CAkey", os.path.join(yz.PKI, "tls", "ca.key"), "-out", base + ".crt", "-days", "30", "-extfile",
                    base + ".ext", "-CAserial", base + ".srl", "-CAcreateserial"], check=True, capture_output=True)
    os.chmod(base + ".key", 0o600)
    return base


class Case(unittest.TestCase):
    """The server's TLS files and trust list are copies of its own."""

    def setUp(self):
        self.s = yz.Server(start="configure+init")
        self.addCleanup(self.s.remove)
        self.ini = os.path.join(self.s.dir, "yinzhengd.ini")
        self.cert, self.key = os.path.join(self.s.dir, "live.crt"), os.path.join(self.s.dir, "live.key")
        self.trust = os.path.join(self.s.dir, "live-trust")
        shutil.copytree(os.path.join(yz.PKI, "trust"), self.trust)
        self.use(os.path.join(yz.PKI, "tls", "server"))
        with open(self.ini, encoding="utf-8") as f:
            text = f.read()
        text = text.replace(os.path.join(yz.PKI, "tls", "server.crt"), "live.crt")
        text = text.replace(os.path.join(yz.PKI, "tls", "server.key"), "live.key")
        text = text.replace("path = " + os.path.join(yz.PKI, "trust"), "path = live-trust")
        self.write(text)
        self.s.script("run")
        self.s.script("enrol")
        self.s.load_catalogue()

    def write(self, text):
        self.text = text
        with open(self.ini, "w", encoding="utf-8") as f:
            f.write(text)

    def use(self, base):
        shutil.copy(base + ".crt", self.cert)
        shutil.copy(base + ".key", self.key)
        os.chmod(self.key, 0o600)

    def hup(self, word="event=reloaded"):
        n = self.s.log().count(word)
        os.kill(self.s.pid, signal.SIGHUP)
        for _ in range(200):
            if self.s.log().count(word) > n:
                return
            time.sleep(0.05)
        self.fail("no " + word + " in the log:\n" + self.s.log()[-2000:])

    def shown(self):
        """The certificate that a new handshake shows, DER."""
        ctx = ssl.create_default_context(cafile=os.path.join(yz.PKI, "tls", "ca.crt"))
        ctx.load_cert_chain(os.path.join(yz.PKI, "tls", "window.crt"), os.path.join(yz.PKI, "tls", "window.key"))
        ctx.set_alpn_protocols(["h2"])
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=5) as c:
            with ctx.wrap_socket(c, server_hostname="localhost") as t:
                return t.getpeercert(True)

    @staticmethod
    def der(path):
        with open(path, encoding="ascii") as f:
            return ssl.PEM_cert_to_DER_cert(f.read())

    def anchors(self):
        return self.s.call("system", "AdminService.GetStatus").trust_anchors


class Certificates(Case):
    def test_a_new_one_is_shown_while_streams_stay(self):
        self.assertEqual(self.shown(), self.der(self.cert))
        fn = self.s.channel("window").unary_stream("/grpc.health.v1.Health/Watch",
                                                   request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                                   response_deserializer=health_pb2.HealthCheckResponse.FromString)
        watch = fn(health_pb2.HealthCheckRequest(service=""), timeout=60)
        self.assertEqual(next(watch).status, 1)
        first = self.shown()
        self.use(new_server_cert(self.s.dir, "next"))
        self.hup()
        self.assertNotEqual(self.shown(), first)
        self.assertEqual(self.shown(), self.der(self.cert))
        self.assertTrue(watch.is_active(), "the stream goes on")
        self.assertTrue(self.s.call("window", "CatalogService.ListItems").items, "and so does the connection")
        watch.cancel()

    def test_bad_ones_change_nothing(self):
        first = self.shown()
        other = new_server_cert(self.s.dir, "other")
        shutil.copy(other + ".crt", self.cert)  # with the old key
        self.hup("level=error event=reload")
        self.assertEqual(self.shown(), first)
        with open(self.cert, "w", encoding="ascii") as f:
            f.write("nothing\n")
        self.hup("level=error event=reload")
        os.remove(self.cert)
        self.hup("level=error event=reload")
        self.assertEqual(self.shown(), first)
        self.use(other)
        os.chmod(self.key, 0o644)  # others may read it
        self.hup("level=error event=reload")
        self.assertEqual(self.shown(), first)
        os.chmod(self.key, 0o600)
        self.hup()
        self.assertEqual(self.shown(), self.der(self.cert))
        self.assertTrue(self.s.call("window", "CatalogService.ListItems").items)


class Configuration(Case):
    def test_a_bad_file_leaves_the_old_one_in_force(self):
        good = self.text
        for bad in (good + "[server]\nnothing = 1\n", good.replace("[trust]", "[thrust]"), "garbage\n", "",
                    good + "[log]\nlevel = loud\n"):
            self.write(bad)
            self.hup("level=error event=reload")
            self.assertTrue(self.s.call("window", "CatalogService.ListItems").items)
        self.write(good)
        self.hup()

    def test_limits_and_log_level(self):
        for _ in range(10):
            self.s.call("issuer-samr", "LicenceService.List")
        good = self.text
        self.write(good + "[limits]\noperator_per_minute = 3\n[log]\nlevel = debug\n")
        self.hup()
        reasons = []
        for _ in range(6):
            try:
                self.s.call("issuer-samr", "LicenceService.List")
                reasons.append("ok")
            except yz.Refused as e:
                reasons.append(e.reason)
                self.assertGreater(int(e.trailers["retry-after-ms"]), 0)
        self.assertEqual(reasons, ["ok"] * 3 + ["OPERATOR_LIMIT"] * 3)
        self.assertEqual(self.s.call("system", "AdminService.GetStatus").limits.operator_per_minute, 3)
        self.assertIn("level=debug event=call", self.s.log())
        self.write(good)
        self.hup()
        for _ in range(10):
            self.s.call("issuer-samr", "LicenceService.List")

    def test_trust_list(self):
        before = self.anchors()
        shutil.copy(os.path.join(yz.PKI, "tls", "ca.crt"), os.path.join(self.trust, "more.crt"))
        self.assertEqual(self.anchors(), before)
        self.hup()
        self.assertEqual(self.anchors(), before + 1)
        os.remove(os.path.join(self.trust, "more.crt"))
        self.hup()
        self.assertEqual(self.anchors(), before)

    def test_a_seal_whose_root_is_gone_is_no_longer_passed(self):
        der = self.s.make_seal().der

        def verdict():
            return self.s.call("window", "VerificationService.Verify", document=der).verdict.indication
        self.assertEqual(verdict(), "TOTAL_PASSED")
        os.remove(os.path.join(self.trust, "root.crt"))
        shutil.copy(os.path.join(yz.PKI, "tls", "ca.crt"), os.path.join(self.trust, "other.crt"))
        self.hup()
        self.assertEqual(verdict(), "INDETERMINATE")

    def test_what_needs_a_restart_is_named(self):
        self.write(self.text.replace("[service]", "workers = 7\n[service]", 1))
        self.hup()
        self.assertTrue(re.search(r"event=reload section=server key=workers .*restart", self.s.log()))
        self.assertEqual(self.s.call("system", "AdminService.GetStatus").workers, 4)

    def test_no_call_is_lost_and_nothing_leaks(self):
        stop, bad, good = threading.Event(), [], [0]

        def hammer():
            while not stop.is_set():
                try:
                    self.s.call("window", "CatalogService.ListItems")
                    good[0] += 1
                except yz.Refused as e:
                    bad.append(str(e))
        threads = [threading.Thread(target=hammer) for _ in range(4)]
        for t in threads:
            t.start()
        self.hup()
        fds = len(os.listdir("/proc/%d/fd" % self.s.pid))
        for _ in range(25):
            self.hup()
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(bad, [])
        self.assertGreater(good[0], 50)
        self.assertLessEqual(len(os.listdir("/proc/%d/fd" % self.s.pid)), fds + 4)


class Principals(Case):
    def test_a_client_ca_that_is_gone_lets_nobody_new_in(self):
        other = os.path.join(self.s.dir, "other-ca.crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", other + ".key", "-out", other, "-subj", "/CN=other", "-days", "30"], check=True,
                       capture_output=True)
        good = self.text
        self.write(good.replace("client_ca = " + os.path.join(yz.PKI, "tls", "ca.crt"), "client_ca = other-ca.crt"))
        self.hup()
        channel = self.s.new_channel("wallet", [("grpc.use_local_subchannel_pool", 1)])
        fn, req = self.s.stub("wallet", "CatalogService.ListItems", channel)
        with self.assertRaises(grpc.RpcError) as no:
            fn(req(), timeout=5)
        self.assertEqual(no.exception.code(), grpc.StatusCode.UNAVAILABLE)
        channel.close()
        self.write(good)
        self.hup()
        self.assertTrue(self.s.call("wallet", "CatalogService.ListItems").items)
