"""Seals into OFD files: over gRPC and by the command line, verified offline by `yinzheng verify`."""
import io
import json
import os
import secrets
import tempfile
import unittest
import zipfile

import yz
from yinzheng.v1 import seal_pb2

NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
CORPUS = os.path.join(os.environ.get("SHARED", os.path.join(yz.ROOT, "..", "shared")), "corpus", "ofd")


def ofd(pages, extra=(), level=None):
    """An unsigned A4 document."""
    files = {
        "OFD.xml": '<?xml version="1.0" encoding="UTF-8"?><ofd:OFD %s Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo>'
                   "<ofd:DocID>1</ofd:DocID></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>"
                   "</ofd:OFD>" % NS,
        "Doc_0/Document.xml": "<ofd:Document %s><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297"
                              "</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData><ofd:Pages>%s</ofd:Pages></ofd:Document>"
                              % (NS, "".join('<ofd:Page ID="%d" BaseLoc="Pages/P%d.xml"/>' % (i + 5, i)
                                             for i in range(pages))),
    }
    for i in range(pages):
        files["Doc_0/Pages/P%d.xml" % i] = "<ofd:Page %s><ofd:Content>%d</ofd:Content></ofd:Page>" % (NS, i + 1)
    files.update(extra)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as z:
        for name, text in files.items():
            z.writestr(name, text)
    return out.getvalue()


def entries(document):
    with zipfile.ZipFile(io.BytesIO(document)) as z:
        assert z.testzip() is None
        return {n: z.read(n) for n in z.namelist()}


def verified(document):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "a.ofd")
        with open(path, "wb") as f:
            f.write(document)
        return json.loads(yz.cli("verify", "--json", "--trust", yz.TRUST, path, ok=False).stdout)


class SignDocument(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()

    def sign(self, document, **more):
        if "riding" not in more:
            more.setdefault("stamps", [seal_pb2.Stamp(page=1, x=120000, y=200500)])
        return self.s.call("issuer-samr", "SealService.SignDocument", seal_id=self.s.seal.id, document=document,
                           purpose="准予许可决定", **more)

    def refused(self, reason, document, **more):
        with self.assertRaises(yz.Refused) as no:
            self.sign(document, **more)
        self.assertEqual(no.exception.reason, reason)
        return no.exception

    def passes(self, document, signatures):
        r = verified(document)
        self.assertEqual((r["kind"], r["indication"]), ("ofd", "TOTAL_PASSED"), r)
        self.assertEqual([x["indication"] for x in r["signatures"]], ["TOTAL_PASSED"] * signatures)
        self.assertEqual((r["coverage"]["unprotected"], r["coverage"]["changed_later"]), ([], []))
        for x in r["signatures"]:
            steps = {c["step"]: c["result"] for c in x["checks"]}
            self.assertEqual((steps["reference_digest"], steps["seal_file"]), ("PASS", "PASS"))
        return r

    def test_one_stamp_then_another_signature_then_the_lock(self):
        first = self.sign(ofd(2))
        self.passes(first.document, 1)
        self.assertEqual((first.signature_id, first.location), ("s001", "/Doc_0/Signs/Sign_0/Signature.xml"))
        second = self.sign(first.document)
        third = self.sign(second.document, lock=True)
        self.passes(third.document, 3)
        before, after = entries(first.document), entries(third.document)
        for name, data in before.items():
            if not name.endswith("Signatures.xml"):
                self.assertEqual(after[name], data, name)
        self.assertEqual(after["Doc_0/Signs/Sign_0/SignedValue.dat"], first.signature)
        self.assertEqual(self.refused("DOCUMENT_LOCKED", third.document).status.name, "FAILED_PRECONDITION")

    def test_what_stays_keeps_its_packed_bytes(self):
        def raw(document):
            with zipfile.ZipFile(io.BytesIO(document)) as z:
                out = {}
                for i in z.infolist():
                    at = i.header_offset + 30 + int.from_bytes(document[i.header_offset + 26:i.header_offset + 28], "little")
                    at += int.from_bytes(document[i.header_offset + 28:i.header_offset + 30], "little")
                    out[i.filename] = (i.compress_type, i.date_time, document[at:at + i.compress_size])
                return out
        text = "".join("%d 印证\n" % (i * i) for i in range(5000))  # level 1 packs this otherwise than the usual level
        before = ofd(2, {"Doc_0/Res/t.txt": text}, level=1)
        after = self.sign(before).document
        self.assertNotEqual(raw(before)["Doc_0/Res/t.txt"], raw(ofd(2, {"Doc_0/Res/t.txt": text}))["Doc_0/Res/t.txt"])
        for name, packed in raw(before).items():
            if name != "OFD.xml":
                self.assertEqual(raw(after)[name], packed, name)

    def test_riding_seal_over_twelve_pages(self):
        got = self.sign(ofd(12), riding=seal_pb2.RidingSeal(side="RIDING_SIDE_RIGHT", centre=100000))
        self.passes(got.document, 1)
        xml = entries(got.document)["Doc_0/Signs/Sign_0/Signature.xml"].decode()
        self.assertEqual(xml.count("<ofd:StampAnnot"), 12)
        self.assertEqual(xml.count(" Clip="), 12)
        self.refused("STAMP_INVALID", ofd(1), riding=seal_pb2.RidingSeal(side="RIDING_SIDE_LEFT"))
        self.refused("FIELD_MISSING", ofd(2), riding=seal_pb2.RidingSeal())

    def test_a_page_changed_after_the_seal_is_caught_and_not_sealed_again(self):
        got = self.sign(ofd(2))
        files = entries(got.document)
        files["Doc_0/Pages/P1.xml"] = files["Doc_0/Pages/P1.xml"].replace(b">2<", b">3<")
        changed = ofd(2, files)
        r = verified(changed)
        self.assertEqual((r["indication"], r["sub_indication"]), ("TOTAL_FAILED", "HASH_FAILURE"))
        self.refused("DOCUMENT_ALTERED", changed)

    def test_a_page_added_after_the_seal_is_covered_by_the_next_only(self):
        got = self.sign(ofd(1))
        more = ofd(1, dict(entries(got.document), **{"Doc_0/late.xml": "<late/>"}))
        self.assertEqual(verified(more)["coverage"]["unprotected"], ["/Doc_0/late.xml"])
        r = verified(self.sign(more).document)
        self.assertEqual(r["coverage"]["unprotected"], [])
        self.assertIn("COVERED_BY_OTHERS", [c["code"] for c in r["signatures"][0]["checks"]])

    def test_asking_twice_gives_the_same_document(self):
        rid = secrets.token_bytes(16)
        document = ofd(3)
        one, two = self.sign(document, request_id=rid), self.sign(document, request_id=rid)
        self.assertEqual((one.replayed, two.replayed), (False, True))
        self.assertEqual(one.document, two.document)
        self.refused("REQUEST_ID_REUSED", ofd(4), request_id=rid)

    def test_refusals(self):
        at = [seal_pb2.Stamp(page=1, x=180000, y=0)]
        self.assertEqual(self.refused("STAMP_INVALID", ofd(1), stamps=at).field, "stamps[0]")
        self.refused("STAMP_INVALID", ofd(1), stamps=[seal_pb2.Stamp(page=2)])
        self.refused("STAMP_INVALID", ofd(1), stamps=[])
        self.refused("DOCUMENT_INVALID", b"%PDF-1.7")
        self.refused("DOCUMENT_INVALID", ofd(1)[:-30])
        self.refused("DOCUMENT_INVALID", ofd(1, {"../x": "1"}))
        self.refused("DOCUMENT_INVALID", ofd(1, {"Doc_0/Document.xml": "<!DOCTYPE x []><x/>"}))
        self.refused("FIELD_MISSING", b"")
        with self.assertRaises(yz.Refused) as no:
            self.s.call("issuer-mnr", "SealService.SignDocument", seal_id=self.s.seal.id, document=ofd(1), purpose="x",
                        stamps=at)
        self.assertEqual(no.exception.reason, "SEAL_NOT_OWN")

    def test_the_request_may_have_32_mib(self):
        noise = secrets.token_bytes(1 << 20)
        document = ofd(1, {"Doc_0/Res/%d.bin" % i: noise + bytes([i]) for i in range(31)})
        channel = self.s.new_channel("issuer-samr", [("grpc.max_receive_message_length", -1)])
        fn, _ = self.s.stub("issuer-samr", "SealService.SignDocument", channel)
        got = fn(self.s.request("issuer-samr", "SealService.SignDocument", seal_id=self.s.seal.id, document=document,
                                purpose="大文件", stamps=[seal_pb2.Stamp(page=1)]), timeout=60)
        channel.close()
        self.passes(got.document, 1)
        self.assertEqual(self.refused("TOO_LARGE", bytes((32 << 20) + 1)).field, "document")

    def test_by_the_command_line(self):
        with tempfile.TemporaryDirectory() as d:
            a, b, c = (os.path.join(d, n) for n in ("决定书.ofd", "sealed.ofd", "riding.ofd"))
            with open(a, "wb") as f:
                f.write(ofd(3))
            common = ["--seal", self.s.seal.id, "--purpose", "准予许可决定"]
            r = self.s.cli("seal", "sign-document", a, *common, "--stamp", "1:100,200.5", "--stamp", "3:0,0", "-o", b,
                           "--json", who="issuer-samr")
            self.assertEqual(json.loads(r.stdout)["signature_id"], "s001")
            self.s.cli("seal", "sign-document", b, *common, "--riding", "left", "--centre", "99.5", "--lock", "-o", c,
                       who="issuer-samr")
            with open(c, "rb") as f:
                self.passes(f.read(), 2)
            for bad in (["--stamp", "1"], ["--stamp", "0:1,1"], ["--stamp", "1:-1,1"], ["--stamp", "1:1,1x"],
                        ["--centre", "10"], ["--riding", "top"]):
                r = self.s.cli("seal", "sign-document", a, *common, *bad, "-o", b, who="issuer-samr", ok=False)
                self.assertEqual(r.returncode, 64, r.stderr)
            r = self.s.cli("seal", "sign-document", c, *common, "--stamp", "1:0,0", "-o", b, who="issuer-samr", ok=False)
            self.assertIn("DOCUMENT_LOCKED", r.stderr + r.stdout)
            self.assertNotEqual(r.returncode, 0)

    @unittest.skipUnless(os.path.isdir(CORPUS), "note: corpus absent")
    def test_real_files(self):
        def read(name):
            with open(os.path.join(CORPUS, name), "rb") as f:
                return f.read()
        self.passes(self.sign(read("unsigned_helloworld.ofd")).document, 1)
        old = read("v4_kinggrid_999.ofd")
        was, now = verified(old)["signatures"][0], None
        got = self.sign(old, riding=seal_pb2.RidingSeal(side="RIDING_SIDE_RIGHT"))
        now = verified(got.document)["signatures"]
        for step in ("reference_digest", "signature_value", "data_hash", "list_lock"):
            self.assertEqual([(c["result"], c["detail"]) for c in was["checks"] if c["step"] == step],
                             [(c["result"], c["detail"]) for c in now[0]["checks"] if c["step"] == step], step)
        self.assertEqual(now[1]["indication"], "TOTAL_PASSED")
        for locked in ("v4_riding_seal.ofd", "v4_two_sigs_h.ofd"):
            self.refused("DOCUMENT_LOCKED", read(locked))
