"""VerificationService: signed verdicts that stand offline, and many documents on one stream."""
import datetime
import hashlib
import json
import os
import tempfile
import threading
import unittest

import grpc
import yz
from yinzheng.v1 import verification_pb2

REQUEST, REPLY = verification_pb2.VerifyStreamRequest, verification_pb2.VerifyStreamReply


def stream(server, requests, who="inspector", timeout=60):
    fn = server.channel(who).stream_stream("/yinzheng.v1.VerificationService/VerifyStream",
                                           request_serializer=lambda m: m if isinstance(m, bytes)
                                           else m.SerializeToString(), response_deserializer=REPLY.FromString)
    return fn(requests, timeout=timeout)


def ask(name, document, **fields):
    return REQUEST(id=name, request=verification_pb2.VerifyRequest(document=document, **fields))


def sm3(data):
    return hashlib.new("sm3", data).hexdigest()


class VerifyService(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()
        h = yz.Holder()
        licence = yz.issue(cls.s, h, "居民身份证")
        cls.good = cls.s.call("issuer-samr", "LicenceService.GetFile", id=licence.id).file
        bad = bytearray(cls.good)
        bad[len(bad) // 2] ^= 1
        cls.bad = bytes(bad)

    def refused(self, status, reason, fn):
        with self.assertRaises(yz.Refused) as got:
            fn()
        self.assertEqual((got.exception.status, got.exception.reason), (status, reason))

    # ---- verdict receipts ----

    def verdict(self, document, **fields):
        reply = self.s.call("window", "VerificationService.Verify", document=document, want_receipt=True, **fields)
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "v.yzv")
            with open(path, "wb") as f:
                f.write(reply.receipt)
            r = yz.cli("verify", "--json", "--trust", yz.TRUST, path, ok=False)
        return reply, json.loads(r.stdout)

    def test_a_signed_verdict_stands_offline(self):
        reply, out = self.verdict(self.good, policy="strict")
        self.assertEqual((out["kind"], out["indication"]), ("verdict", "TOTAL_PASSED"), out)
        v = out["verdict"]
        self.assertEqual((v["kind"], v["indication"], v["policy"]), ("licence", "TOTAL_PASSED", "strict"))
        self.assertEqual(v["document_digest"], sm3(self.good))
        self.assertEqual(v["report_digest"], sm3(reply.report_json.encode()))
        self.assertTrue(v["policy_version"])
        with open(os.path.join(yz.ROOT, "share", "policy", "strict.ini"), "rb") as f:
            self.assertEqual(v["policy_digest"], hashlib.sha256(f.read()).hexdigest())

    def test_a_bad_document_gets_a_good_receipt(self):
        _, out = self.verdict(self.bad)
        self.assertEqual(out["indication"], "TOTAL_PASSED")
        self.assertEqual(out["verdict"]["indication"], "TOTAL_FAILED")
        self.assertTrue(out["verdict"]["code"])

    def test_the_same_trust_has_the_same_digest(self):
        one, two = self.verdict(self.good)[1]["verdict"], self.verdict(self.bad)[1]["verdict"]
        self.assertEqual(one["trust_digest"], two["trust_digest"])
        self.assertNotEqual(one["id"], two["id"])

    def test_a_changed_receipt_does_not_stand(self):
        reply, _ = self.verdict(self.bad)
        changed = reply.receipt.replace(b"TOTAL_FAILED", b"TOTAL_PASSED")
        self.assertNotEqual(changed, reply.receipt)
        again = self.s.call("window", "VerificationService.Verify", document=changed)
        self.assertEqual((again.kind, again.verdict.indication), ("verdict", "TOTAL_FAILED"))

    def test_no_receipt_unless_asked(self):
        reply = self.s.call("window", "VerificationService.Verify", document=self.good)
        self.assertEqual(reply.receipt, b"")

    # ---- without what says that all is well ----

    def verify(self, document, **fields):
        return self.s.call("window", "VerificationService.Verify", document=document, **fields)

    def test_brief_leaves_out_the_report_of_what_is_good(self):
        whole, brief = self.verify(self.good), self.verify(self.good, brief=True)
        self.assertTrue(whole.report_json)
        self.assertEqual((brief.kind, brief.verdict.indication, brief.report_json, brief.receipt),
                         ("licence", "TOTAL_PASSED", "", b""))
        self.assertTrue(brief.verdict.judged_at)
        self.assertIn("PASS", {c.result for c in whole.verdict.checks})
        told = [(c.step, c.result, c.code) for c in whole.verdict.checks if c.result != "PASS"]
        self.assertEqual([(c.step, c.result, c.code) for c in brief.verdict.checks], told)
        self.assertLess(brief.ByteSize(), 300)

    def test_brief_tells_all_of_what_is_not_good(self):
        at = "2026-11-22T08:00:00Z"
        for document in (self.bad, b"rubbish", b"PK\x05\x06" + bytes(18)):
            whole, brief = self.verify(document, at=at), self.verify(document, at=at, brief=True)
            self.assertNotEqual(whole.verdict.indication, "TOTAL_PASSED")
            self.assertEqual(brief, whole)
            self.assertTrue(json.loads(brief.report_json)["indication"])

    def test_a_receipt_comes_with_its_report_in_brief_too(self):
        reply, out = self.verdict(self.good, brief=True)
        self.assertEqual(out["verdict"]["report_digest"], sm3(reply.report_json.encode()))
        self.assertTrue(reply.report_json)

    def test_brief_on_a_stream_is_each_document_s_own(self):
        asked = [ask("whole", self.good), ask("brief", self.good, brief=True), ask("bad", self.bad, brief=True)]
        got = {r.id: r.reply for r in stream(self.s, iter(asked))}
        self.assertTrue(got["whole"].report_json)
        self.assertEqual((got["brief"].report_json, got["brief"].verdict.indication), ("", "TOTAL_PASSED"))
        self.assertEqual(json.loads(got["bad"].report_json)["indication"], "TOTAL_FAILED")

    # ---- seals that return ----

    def read_seals(self):
        return next(c for c in self.s.call("system", "AdminService.GetStatus").caches if c.name == "read_seal")

    def test_a_seal_that_returns_is_judged_as_the_first_time(self):
        """Signatures with one seal: their reports are the same whether the seal is known or not, good and bad."""
        at = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        data = [b"one", b"two"]
        signed = [self.s.call("issuer-samr", "SealService.Sign", seal_id=self.s.seal.id, property_info="file.dat",
                              purpose="test", digest=bytes.fromhex(sm3(d))).signature for d in data]
        changed = bytearray(signed[1])
        changed[-1] ^= 1
        before = self.read_seals()
        first = self.verify(signed[0], data=data[0], has_data=True, at=at)
        self.assertEqual(first.verdict.indication, "TOTAL_PASSED")
        for _ in range(4):
            self.assertEqual(self.verify(signed[0], data=data[0], has_data=True, at=at), first)
        self.assertGreaterEqual(self.read_seals().hits, before.hits + 2)
        self.assertEqual(self.verify(signed[1], data=data[1], has_data=True, at=at).verdict.indication, "TOTAL_PASSED")
        for document, content in ((signed[1], data[0]), (bytes(changed), data[1])):
            self.assertEqual(self.verify(document, data=content, has_data=True, at=at).verdict.indication, "TOTAL_FAILED")

    def test_policies_are_named_and_others_refused(self):
        for name in ("default", "strict", "archive"):
            reply = self.s.call("window", "VerificationService.Verify", document=self.good, policy=name)
            self.assertEqual(json.loads(reply.report_json)["policy"], name)
        for name in ("lenient", "../default.ini", "/etc/passwd"):
            self.refused(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", lambda n=name: self.s.call(
                "window", "VerificationService.Verify", document=self.good, policy=n))

    # ---- streams ----

    def test_a_thousand_documents_on_one_stream(self):
        n = 1000
        replies = list(stream(self.s, (ask("d%d" % i, self.bad if i % 3 else self.good) for i in range(n))))
        self.assertEqual({r.id for r in replies}, {"d%d" % i for i in range(n)})
        self.assertEqual(len(replies), n)
        for r in replies:
            wanted = "TOTAL_PASSED" if int(r.id[1:]) % 3 == 0 else "TOTAL_FAILED"
            self.assertEqual(r.reply.verdict.indication, wanted)
            self.assertFalse(r.HasField("refusal"))

    def test_documents_that_wait_together_are_judged_as_alone(self):
        """Values of documents that wait at the same time are verified together: each report is the one Verify gives."""
        at = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        documents = [self.good]
        for at_octet in range(0, len(self.good), len(self.good) // 40):
            changed = bytearray(self.good)
            changed[at_octet] ^= 1
            documents += [bytes(changed), self.good]
        alone = [self.s.call("window", "VerificationService.Verify", document=d, at=at).report_json for d in documents]
        self.assertIn("TOTAL_PASSED", alone[0])
        asked = (ask("%d" % i, documents[i % len(documents)], at=at) for i in range(4 * len(documents)))
        for r in stream(self.s, asked):
            self.assertEqual(r.reply.report_json, alone[int(r.id) % len(documents)], r.id)

    def test_answers_come_in_the_order_of_finishing(self):
        """A big document first, small ones behind: nobody waits for the big one's turn."""
        big = b"PK\x03\x04" + os.urandom(12 << 20)
        asked = [ask("big", big, want_receipt=True)] + [ask("s%d" % i, b"x") for i in range(3)]
        replies = [r.id for r in stream(self.s, iter(asked))]
        self.assertEqual(set(replies), {"big", "s0", "s1", "s2"})
        self.assertEqual(replies[-1], "big")

    def test_what_is_wrong_with_one_document_does_not_end_the_stream(self):
        asked = [ask("a", self.good), ask("b", b""), ask("c", self.good, policy="no"), ask("d", b"rubbish"),
                 REQUEST(id="e"), ask("f", self.good, at="yesterday"), ask("g", self.good, want_receipt=True)]
        got = {r.id: r for r in stream(self.s, iter(asked))}
        self.assertEqual(len(got), 7)
        self.assertEqual(got["b"].refusal.reason, "FIELD_MISSING")
        self.assertEqual((got["c"].refusal.reason, got["c"].refusal.field), ("FIELD_INVALID", "policy"))
        self.assertEqual(got["d"].reply.verdict.indication, "TOTAL_FAILED")
        self.assertEqual(got["e"].refusal.reason, "FIELD_MISSING")
        self.assertEqual(got["f"].refusal.field, "at")
        self.assertTrue(got["g"].reply.receipt)
        self.assertFalse(got["b"].HasField("reply"))

    def ends(self, requests, status, reason, who="inspector"):
        with self.assertRaises(grpc.RpcError) as got:
            list(stream(self.s, iter(requests), who=who))
        e = yz.Refused(got.exception)
        self.assertEqual((e.status, e.reason), (status, reason))

    def test_what_is_no_request_ends_the_stream(self):
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.ends([b"\xff\xff\xff"], invalid, "MESSAGE_INVALID")
        self.ends([ask("", self.good)], invalid, "FIELD_MISSING")
        self.ends([ask("x" * 65, self.good)], invalid, "FIELD_TOO_LONG")
        self.ends([b"\x0a\x02\xff\xfe"], invalid, "TEXT_INVALID")

    def test_an_empty_stream_ends_well(self):
        self.assertEqual(list(stream(self.s, iter([]))), [])

    def test_who_is_not_enrolled_gets_nothing(self):
        self.ends([ask("a", self.good)], grpc.StatusCode.UNAUTHENTICATED, "PRINCIPAL_UNKNOWN", who="stranger")

    def test_a_reader_that_does_not_read_is_not_read(self):
        """Answers that nobody takes fill the buffers on the way, and then no more documents are asked for."""
        sent, total, padding = [], 4000, bytes(64 << 10)

        def requests():
            for i in range(total):
                sent.append(i)
                yield ask("n%d" % i, self.good, want_receipt=True, data=padding, has_data=True)

        call, before = stream(self.s, requests(), timeout=120), -1
        while len(sent) != before:
            before = len(sent)
            threading.Event().wait(1)
        self.assertLess(before, total)
        next(call)
        call.cancel()

    def test_cancelled_streams_leave_nothing_behind(self):
        for _ in range(40):
            call = stream(self.s, (ask("c%d" % i, self.good) for i in range(200)))
            next(call)
            call.cancel()
        # More than STREAMS_MAX were opened: their places are free again.
        threading.Event().wait(0.5)
        self.assertEqual(len(list(stream(self.s, iter([ask("last", self.good)])))), 1)

    def test_streams_are_limited(self):
        waits = threading.Event()

        def slow():
            yield ask("one", self.good)
            waits.wait(30)

        calls = [stream(self.s, slow()) for _ in range(16)]
        try:
            for c in calls:
                next(c)
            self.ends([ask("a", self.good)], grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        finally:
            waits.set()
            for c in calls:
                list(c)
        self.assertEqual(len(list(stream(self.s, iter([ask("after", self.good)])))), 1)


class CommandLine(unittest.TestCase):
    """`yinzheng verify` with policies, for people and for experts."""

    @classmethod
    def setUpClass(cls):
        s = yz.shared()
        licence = yz.issue(s, yz.Holder(), "居民身份证")
        cls.d = tempfile.TemporaryDirectory()
        cls.file = cls.write("a.yzl", s.call("issuer-samr", "LicenceService.GetFile", id=licence.id).file)

    @classmethod
    def tearDownClass(cls):
        cls.d.cleanup()

    @classmethod
    def write(cls, name, data):
        path = os.path.join(cls.d.name, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def verify(self, *args):
        r = yz.cli("verify", "--json", "--trust", yz.TRUST, *args, self.file, ok=False)
        return r.returncode, json.loads(r.stdout)

    def test_shipped_policies_and_files(self):
        self.assertEqual(self.verify("--policy", "strict")[0], 0)
        status, out = self.verify("--policy", "archive")
        self.assertEqual((status, out["sub_indication"]), (2, "OUT_OF_BOUNDS_NO_POE"))
        mine = self.write("mine.ini", b"[policy]\nname = house\nversion = 9\n[algorithms]\nSM2-SM3 = no\n")
        status, out = self.verify("--policy", mine)
        self.assertEqual((status, out["policy"], out["policy_version"]), (2, "house", "9"))
        self.assertEqual(out["sub_indication"], "CRYPTO_CONSTRAINTS_FAILURE")

    def test_wrong_policies_are_named(self):
        for policy, status, says in (("lenient", 64, "archive"), ("/absent/x.ini", 66, "/absent/x.ini"),
                                     (self.write("bad.ini", b"[policy]\nname = x\nnmae = y\n"), 64, ":3:")):
            r = yz.cli("verify", "--policy", policy, self.file, ok=False)
            self.assertEqual(r.returncode, status)
            self.assertIn(says, r.stderr)
            self.assertEqual(r.stdout, "")

    def test_people_see_what_is_wrong_and_experts_every_step(self):
        people = yz.cli("verify", "--trust", yz.TRUST, self.file).stdout
        experts = yz.cli("verify", "--trust", yz.TRUST, "--steps", self.file).stdout
        self.assertNotIn("✓", people)
        self.assertIn("✓", experts)
        self.assertLess(len(people.splitlines()), len(experts.splitlines()))
        chinese = yz.cli("verify", "--trust", yz.TRUST, self.file, env=dict(os.environ, LC_ALL="zh_CN.UTF-8")).stdout
        self.assertIn("真实有效", chinese.splitlines()[0])

    def test_the_server_signs_what_it_found(self):
        out = os.path.join(self.d.name, "v.yzv")
        yz.shared().cli("seal", "verify", "--policy", "strict", "--receipt", out, self.file, who="window")
        r = json.loads(yz.cli("verify", "--json", "--trust", yz.TRUST, out).stdout)
        self.assertEqual((r["kind"], r["verdict"]["indication"]), ("verdict", "TOTAL_PASSED"))
        people = yz.cli("verify", "--trust", yz.TRUST, out).stdout
        self.assertIn("licence: TOTAL_PASSED", people)

    def test_every_code_is_explained(self):
        with open(os.path.join(yz.ROOT, "docs", "report-codes.md"), encoding="utf-8") as f:
            rows = [line.split("|") for line in f if line.startswith("| `")]
        for row in rows[::7]:
            code = row[1].strip(" `")
            r = yz.cli("verify", "--explain", code, env=dict(os.environ, LC_ALL="C.UTF-8"))
            self.assertEqual(r.stdout.strip(), row[2].strip())
        self.assertEqual(yz.cli("verify", "--explain", "NO_SUCH", ok=False).returncode, 64)


class Stopping(unittest.TestCase):
    def test_a_stop_ends_open_streams(self):
        s = yz.Server().prepare()
        waits = threading.Event()

        def slow():
            yield ask("one", b"x")
            waits.wait(30)

        call = stream(s, slow())
        next(call)
        s.script("stop")
        with self.assertRaises(grpc.RpcError) as got:
            list(call)
        waits.set()
        self.assertEqual(got.exception.code(), grpc.StatusCode.UNAVAILABLE)
        s.remove()
