"""Who gets in, limits, hostile messages, deadlines, health, reflection."""
import json
import concurrent.futures
import os
import socket
import ssl
import subprocess
import threading
import time
import unittest

import grpc
import yz
from std import health_pb2, reflection_v1_pb2, reflection_v1alpha_pb2
from yinzheng.v1 import common_pb2

INVALID, UNAUTHENTICATED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED
PULL = "WindowService.Pull"


def field(number, payload):
    """One length-delimited protobuf field."""
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()

    def refused(self, reason, status, fn, /, *args, **kw):
        with self.assertRaises(yz.Refused) as no:
            fn(*args, **kw)
        self.assertEqual((no.exception.reason, no.exception.status), (reason, status), str(no.exception))
        return no.exception

    def still_serving(self):
        self.assertTrue(self.s.call("window", "CatalogService.ListItems").items)


class Identity(Case):
    def test_no_certificate(self):
        channel = self.s.new_channel(None)
        fn, req = self.s.stub("window", "CatalogService.ListItems", channel)
        with self.assertRaises(grpc.RpcError) as no:
            fn(req(), timeout=5)
        self.assertEqual(no.exception.code(), grpc.StatusCode.UNAVAILABLE)
        channel.close()

    def test_expired_certificate(self):
        fn, req = self.s.stub("expired", "CatalogService.ListItems")
        with self.assertRaises(grpc.RpcError) as no:
            fn(req(), timeout=5)
        self.assertEqual(no.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_certificate_that_is_not_enrolled(self):
        self.refused("PRINCIPAL_UNKNOWN", UNAUTHENTICATED, self.s.call, "stranger", "CatalogService.ListItems")

    def test_plain_text_is_not_answered(self):
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=5) as c:
            c.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            c.settimeout(5)
            data = c.recv(100)
        self.assertFalse(data.startswith(b"\0\0"), "no HTTP/2 frame before a client certificate")

    def test_old_tls_is_refused(self):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        ctx.minimum_version = ctx.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            with socket.create_connection(("127.0.0.1", self.s.port), timeout=5) as c:
                ctx.wrap_socket(c)


class Messages(Case):
    def raw(self, payload, method=PULL, who="window"):
        return self.s.send(who, method, payload)

    def pull_request(self, **fields):
        values = dict(code="YZ1" + "0" * 32, item_code="X", case_number="C", purpose="P")
        values.update(fields)
        return self.s.request("window", PULL, **values)

    def test_not_a_message(self):
        self.refused("MESSAGE_INVALID", INVALID, self.raw, b"\xff\xff\xff\xff")

    def test_empty_message(self):
        self.refused("OPERATOR_MISSING", INVALID, self.raw, b"")

    def test_nul_in_a_text(self):
        good = self.pull_request(purpose="PPPPPPPP").SerializeToString()
        e = self.refused("TEXT_INVALID", INVALID, self.raw, good.replace(b"PPPPPPPP", b"PPP\0PPPP"))
        self.assertEqual(e.field, "purpose")

    def test_bad_utf8_and_controls_in_texts(self):
        good = self.pull_request(purpose="PPPPPPPP").SerializeToString()
        for bad in (b"PPP\xc0\xafPPP", b"PPP\xed\xa0\x80PP", b"PPPP\x1b[2J", b"PP\xe2\x80\xaePPP"):
            self.refused("TEXT_INVALID", INVALID, self.raw, good.replace(b"PPPPPPPP", bad))
        good = self.pull_request(operator=common_pb2.Operator(id="1", name="NNNN", terminal="t")).SerializeToString()
        e = self.refused("TEXT_INVALID", INVALID, self.raw, good.replace(b"NNNN", b"N\0NN"))
        self.assertEqual(e.field, "operator.name")

    def test_empty_message_bomb(self):
        bomb = field(7, b"") * 200000  # holders or fields of an IssueRequest
        with self.assertRaises(yz.Refused) as no:
            self.raw(bomb, "LicenceService.Issue", "issuer-samr")
        self.assertIn(no.exception.status, (grpc.StatusCode.RESOURCE_EXHAUSTED, INVALID))
        self.still_serving()

    def test_nested_bomb(self):
        deep = b""
        for _ in range(3000):
            deep = field(2, deep)
        with self.assertRaises(yz.Refused) as no:
            self.raw(deep)
        self.assertIn(no.exception.status, (grpc.StatusCode.RESOURCE_EXHAUSTED, INVALID))
        self.still_serving()

    def test_oversized(self):
        with self.assertRaises(yz.Refused) as no:
            self.raw(self.pull_request(purpose="长" * 2000000).SerializeToString())
        self.assertEqual(no.exception.status, grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.still_serving()

    def test_compressed_bomb(self):
        fn, _ = self.s.stub("window", PULL)
        with self.assertRaises(grpc.RpcError) as no:
            fn(self.pull_request(purpose="0" * 30000000), timeout=20, compression=grpc.Compression.Gzip)
        self.assertEqual(no.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.still_serving()

    def test_text_longer_than_allowed(self):
        self.refused("FIELD_TOO_LONG", INVALID, self.raw, self.pull_request(purpose="长" * 700).SerializeToString())

    def test_enum_that_does_not_exist(self):
        lic = yz.issue(self.s, yz.Holder(), "居民身份证")
        self.refused("FIELD_INVALID", INVALID, self.s.call, "issuer-samr", "LicenceService.ChangeStatus", id=lic.id,
                     state=99, reason="x")


class Methods(Case):
    def test_unknown_method(self):
        for path in ("/yinzheng.v1.WindowService/Nothing", "/nothing.Here/Get", "/x"):
            fn = self.s.channel("window").unary_unary(path, request_serializer=lambda b: b, response_deserializer=None)
            t = time.monotonic()
            with self.assertRaises(grpc.RpcError) as no:
                fn(b"", timeout=10)
            self.assertEqual(no.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
            self.assertLess(time.monotonic() - t, 5)

    def test_another_authority_is_served_all_the_same(self):
        channel = self.s.new_channel("window", [("grpc.default_authority", "localhost:1")])
        fn, req = self.s.stub("window", "CatalogService.ListItems", channel)
        self.assertTrue(fn(req(), timeout=5).items)
        channel.close()

    def test_one_millisecond(self):
        fn, _ = self.s.stub("window", PULL)
        for _ in range(50):
            with self.assertRaises(grpc.RpcError) as no:
                fn(self.s.request("window", PULL, code="YZ1" + "0" * 32), timeout=0.001)
            self.assertIn(no.exception.code(), (grpc.StatusCode.DEADLINE_EXCEEDED, INVALID))
        self.still_serving()

    def test_cancel_in_mid_call(self):
        h = yz.person(self.s)
        for i in range(30):
            code = yz.use_code(self.s, h, "公积金提取")
            req = self.s.request("window", PULL, code=code, item_code=yz.code_of("公积金提取"), case_number="C",
                                 purpose="P")
            fn, _ = self.s.stub("window", PULL)
            call = fn.future(req, timeout=10)
            time.sleep(0.0005 * (i % 10))
            call.cancel()
            # Asked again with the same id it is answered, whether the first try went through or not.
            self.assertTrue(self.s.send("window", PULL, req).receipt_id)
        self.still_serving()


class Health(Case):
    def check(self, service):
        fn = self.s.channel("window").unary_unary("/grpc.health.v1.Health/Check",
                                                  request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                                  response_deserializer=health_pb2.HealthCheckResponse.FromString)
        return fn(health_pb2.HealthCheckRequest(service=service), timeout=5).status

    def test_check(self):
        self.assertEqual(self.check(""), 1)
        self.assertEqual(self.check("yinzheng.v1.WindowService"), 1)
        with self.assertRaises(grpc.RpcError) as no:
            self.check("no.Such")
        self.assertEqual(no.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_many_watchers_hold_no_thread(self):
        fn = self.s.channel("window").unary_stream("/grpc.health.v1.Health/Watch",
                                                   request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                                   response_deserializer=health_pb2.HealthCheckResponse.FromString)
        watches = [fn(health_pb2.HealthCheckRequest(service=""), timeout=30) for _ in range(50)]
        self.assertEqual({next(w).status for w in watches}, {1})
        self.still_serving()
        for w in watches:
            w.cancel()
        self.still_serving()

    def test_watchers_are_not_unlimited(self):
        channels = [self.s.new_channel("window", [("grpc.use_local_subchannel_pool", 1)]) for _ in range(8)]
        watches = []
        for c in channels:
            fn = c.unary_stream("/grpc.health.v1.Health/Watch",
                                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                                response_deserializer=health_pb2.HealthCheckResponse.FromString)
            watches += [fn(health_pb2.HealthCheckRequest(service=""), timeout=60) for _ in range(100)]
        served = refused = 0
        for w in watches:
            try:
                served += next(w).status == 1
            except grpc.RpcError as e:
                self.assertEqual(e.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
                refused += 1
        self.assertEqual((served, refused), (512, 288))
        self.still_serving()
        for c in channels:
            c.close()
        time.sleep(0.5)
        self.test_many_watchers_hold_no_thread()

    def test_local_socket_in_plain_text(self):
        with socket.socket(socket.AF_UNIX) as c:
            c.settimeout(5)
            c.connect(os.path.join(self.s.dir, "health.sock"))
            text = c.makefile().read()
        self.assertTrue(text.startswith("ok"), text)


class Reflection(Case):
    def ask(self, pb, path, **request):
        fn = self.s.channel("window").stream_stream(path,
                                                    request_serializer=pb.ServerReflectionRequest.SerializeToString,
                                                    response_deserializer=pb.ServerReflectionResponse.FromString)
        return next(fn(iter([pb.ServerReflectionRequest(**request)]), timeout=5))

    def test_both_versions(self):
        for pb, path in ((reflection_v1_pb2, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
                         (reflection_v1alpha_pb2, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")):
            names = [x.name for x in self.ask(pb, path, list_services="").list_services_response.service]
            self.assertIn("yinzheng.v1.WindowService", names)
            self.assertIn("grpc.health.v1.Health", names)
            got = self.ask(pb, path, file_containing_symbol="yinzheng.v1.PullRequest")
            self.assertTrue(any(b"PullRequest" in f for f in got.file_descriptor_response.file_descriptor_proto))
            got = self.ask(pb, path, file_by_filename="yinzheng/v1/common.proto")
            self.assertTrue(got.file_descriptor_response.file_descriptor_proto)
            self.assertEqual(self.ask(pb, path, file_containing_symbol="no.Such").error_response.error_code, 5)


class Load(Case):
    def test_overload_is_refused_at_once_with_a_hint(self):
        s = yz.Server("[limits]\nprincipal_per_minute = 0\noperator_per_minute = 0\n")
        self.addCleanup(s.remove)
        s.script("stop")
        with open(os.path.join(s.dir, "extra.ini"), "w", encoding="utf-8") as f:
            f.write("[server]\nworkers = 1\nqueue = 2\n")
        s.script("configure")
        s.script("run")
        req = s.request("issuer-samr", "VerificationService.Verify", document=b"x" * 2000000)
        fn, _ = s.stub("issuer-samr", "VerificationService.Verify")
        calls = [fn.future(req, timeout=30) for _ in range(200)]
        codes, hints = [], []
        for c in calls:
            codes.append(c.code())
            if c.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                hints.append(dict(c.trailing_metadata()).get("retry-after-ms"))
        self.assertIn(grpc.StatusCode.OK, codes)
        self.assertIn(grpc.StatusCode.RESOURCE_EXHAUSTED, codes)
        self.assertTrue(all(h and int(h) > 0 for h in hints))

    def test_strangers_do_not_make_it_deaf(self):
        """More connections than it has descriptors for, by who has no certificate."""
        s = yz.Server(start="configure+init")
        self.addCleanup(s.remove)
        subprocess.run(["sh", "-c", 'ulimit -n 128 && exec "$0" "$@"', os.path.join(yz.ROOT, "scripts", "devserver.sh"),
                        yz.BUILD, s.dir, "run"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL)
        self.assertTrue(s.call("security1", "AdminService.ListPrincipals").principals)
        many = [socket.create_connection(("127.0.0.1", s.port), timeout=5) for _ in range(200)]
        time.sleep(0.5)
        self.assertTrue(s.call("security1", "AdminService.ListPrincipals").principals, "who is in stays in")
        for c in many:
            c.close()
        time.sleep(0.5)
        self.assertTrue(s.call("security2", "AdminService.ListPrincipals").principals, "who comes later gets in")
        time.sleep(2.5)
        self.assertIn("event=connections", s.log())

    def test_limit_of_an_operator(self):
        s = yz.Server()
        self.addCleanup(s.remove)
        s.script("stop")
        with open(os.path.join(s.dir, "extra.ini"), "w", encoding="utf-8") as f:
            f.write("[limits]\noperator_per_minute = 5\n")
        s.script("configure")
        s.script("run")
        reasons = []
        for _ in range(12):
            try:
                s.call("issuer-samr", "LicenceService.List")
                reasons.append("ok")
            except yz.Refused as e:
                reasons.append(e.reason)
        self.assertEqual(reasons[0], "ok")
        self.assertIn("OPERATOR_LIMIT", reasons)
        refused = s.cli("licence", "list", who="issuer-samr", ok=False)
        self.assertIn("OPERATOR_LIMIT", refused.stderr)
        self.assertIn("Try again in 1.0 s.", refused.stderr)
        told = json.loads(s.cli("licence", "list", "--json", who="issuer-samr", ok=False).stdout)["error"]
        self.assertEqual((told["reason"], told["retry_after_ms"]), ("OPERATOR_LIMIT", 1000))

    def test_stop_under_load_answers_or_says_unavailable(self):
        s = yz.Server()
        self.addCleanup(s.remove)
        seen, stop = [], threading.Event()

        def hammer():
            fn, req = s.stub("window", "CatalogService.ListItems", s.new_channel("window"))
            while not stop.is_set():
                try:
                    fn(req(), timeout=5)
                    seen.append("ok")
                except grpc.RpcError as e:
                    seen.append(e.code())
                    if e.code() == grpc.StatusCode.UNAVAILABLE:
                        return

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(hammer) for _ in range(8)]
            time.sleep(1)
            pid, began = s.pid, time.monotonic()
            os.kill(pid, 15)
            while os.path.exists("/proc/%d/exe" % pid) and time.monotonic() - began < 20:
                try:
                    os.readlink("/proc/%d/exe" % pid)
                except OSError:
                    break
                time.sleep(0.05)
            self.assertLess(time.monotonic() - began, 15)
            stop.set()
            for j in jobs:
                j.result()
        self.assertIn("ok", seen)
        self.assertTrue(set(seen) <= {"ok", grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}, set(seen))
