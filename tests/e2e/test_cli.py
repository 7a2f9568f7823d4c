"""The command line as people and programs use it."""
import json
import os
import struct
import subprocess
import tempfile
import unittest
import zlib

import yz

ITEM = "公积金提取"


class Offline(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)

    def path(self, name, data=None):
        p = os.path.join(self.tmp.name, name)
        if data is not None:
            with open(p, "wb") as f:
                f.write(data)
        return p

    def fails(self, status, reason, *args):
        r = yz.cli(*args, ok=False)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        self.assertIn(reason, r.stdout + r.stderr)

    def test_help_names_every_command_and_each_has_its_own(self):
        text = yz.cli("--help").stdout
        for name in ("verify", "qr", "id", "seal", "catalog", "licence", "code", "pull", "receipt", "inspect", "audit",
                     "principal", "status", "health", "bench"):
            self.assertIn("  " + name, text)
            self.assertTrue(yz.cli(name, "--help").stdout)

    def test_the_daemons_commands_have_help(self):
        daemon = os.path.join(yz.BUILD, "yinzhengd")
        for name in ("run", "check", "init", "enrol", "backup", "restore", "rotate-key"):
            text = subprocess.run([daemon, name, "--help"], check=True, capture_output=True, text=True).stdout
            self.assertIn("yinzhengd %s --config" % name, text)
        self.assertEqual(subprocess.run([daemon, "nothing", "--help"], check=False, capture_output=True).returncode, 64)
        self.fails(64, "USAGE", "nonsense")

    def test_qr_draw_and_scan(self):
        for text in ("YZ1" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "印证：亮证码"):
            out = self.path("c.png")
            yz.cli("qr", "draw", text, "-o", out)
            self.assertEqual(json.loads(yz.cli("qr", "scan", "--json", out).stdout)["codes"][0]["text"], text)
        yz.cli("qr", "draw", "A", "-o", self.path("c.svg"))
        self.assertTrue(yz.cli("qr", "draw", "A").stdout)

    def test_pictures_without_several_broken_and_huge(self):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        def png(w, h, rows):
            return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) +
                    chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

        white = self.path("white.png", png(64, 64, (b"\0" + b"\xff" * 64) * 64))
        self.fails(65, "QR_NONE", "qr", "scan", white)
        self.fails(65, "TOO_LARGE", "qr", "scan", self.path("huge.png", png(20000, 20000, b"\0")))
        good = self.path("good.png")
        yz.cli("qr", "draw", "HELLO", "-o", good)
        with open(good, "rb") as f:
            data = f.read()
        self.fails(65, "IMAGE_INVALID", "qr", "scan", self.path("cut.png", data[:len(data) // 2]))
        self.fails(66, "FILE_UNREADABLE", "qr", "scan", self.path("absent.png"))

    def test_verify_exit_statuses(self):
        self.assertEqual(yz.cli("verify", ok=False).returncode, 64)
        r = yz.cli("verify", "--json", self.path("absent"), ok=False)
        self.assertEqual(r.returncode, 66)
        line = json.loads(r.stdout)
        self.assertIsNone(line["indication"])
        self.assertTrue(line["error"])
        r = yz.cli("verify", "--json", self.path("junk", b"junk"), ok=False)
        self.assertEqual(r.returncode, 1)
        self.assertEqual(json.loads(r.stdout)["sub_indication"], "FORMAT_FAILURE")

    def test_id(self):
        good = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
        yz.cli("id", "check", good, "11010519491231002X", yz.SAMR)
        self.assertEqual(yz.cli("id", "check", good[:-1] + "V", ok=False).returncode, 1)


class Online(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()

    def test_from_request_to_receipt(self):
        h, s = yz.Holder("欧阳小满"), self.s
        lic = {"type_code": yz.code_of("居民身份证"), "number": h.code, "holders": [
            {"name": h.name, "code_type": "111", "code": h.code}],
            "fields": [{"name": f.name, "value": f.value} for f in h.fields("居民身份证")]}
        made = json.loads(s.cli("licence", "issue", "-", "--json", who="issuer-samr", stdin=json.dumps(lic)).stdout)
        self.assertEqual(made["licence"]["state"], "LICENCE_STATE_VALID")
        p = h.presenter()
        presenter = {"name": p.name, "code_type": "111", "code": p.code, "capacity": "self", "authentication": {
            "method": "face", "level": 3, "time": p.authentication.time, "reference": "R1"}}
        req = {"kind": "use", "holder": lic["holders"][0], "presenter": presenter, "audience": {"kind": "windows"},
               "purpose": "公积金提取", "item_code": yz.code_of(ITEM)}
        with tempfile.TemporaryDirectory() as d:
            png, receipt = os.path.join(d, "code.png"), os.path.join(d, "r.yzr")
            path = os.path.join(d, "req.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(req, f)
            refused = s.cli("code", "issue", path, "--json", who="wallet", ok=False)
            self.assertEqual(refused.returncode, 64, "nobody agreed to the preview")
            s.cli("code", "issue", path, "--yes", "-o", png, who="wallet")
            out = s.cli("pull", "--qr", png, "--item", yz.code_of(ITEM), "--case", "BJ-1", "--purpose", "提取",
                        "--receipt", receipt, who="window")
            self.assertIn(h.name, out.stdout)
            self.assertEqual(yz.cli("verify", "--trust", yz.TRUST, receipt).returncode, 0)
            r = s.cli("pull", "--qr", png, "--item", yz.code_of(ITEM), "--case", "BJ-1", "--purpose", "提取", "--json",
                      who="window", ok=False)
            self.assertEqual(json.loads(r.stdout)["error"]["reason"], "CODE_USED")
            self.assertNotEqual(r.returncode, 0)

    def test_health_status_and_lists(self):
        s = self.s
        self.assertIn("SERVING", s.cli("health", who="window").stdout)
        self.assertTrue(json.loads(s.cli("status", "--json", who="system").stdout)["version"])
        self.assertTrue(json.loads(s.cli("audit", "list", "--json", who="audit").stdout)["entries"])
        self.assertIn("window", s.cli("principal", "list", who="security1").stdout)
        self.assertIn(s.seal.id, s.cli("seal", "list", who="sealer").stdout)
        self.assertIn("营业执照", s.cli("catalog", "types", who="window").stdout)
        self.assertTrue(s.cli("licence", "list", who="issuer-samr").stdout)

    def test_server_that_is_not_there(self):
        r = self.s.cli("health", "--server", "localhost:1", "--timeout", "3", who="window", ok=False)
        self.assertEqual(r.returncode, 69)
        self.assertIn("SERVER_UNREACHABLE", r.stderr)

    def test_seal_verifies_offline(self):
        with tempfile.TemporaryDirectory() as d:
            esl = os.path.join(d, "s.esl")
            self.s.cli("seal", "show", self.s.seal.id, "-o", esl, who="sealer")
            out = json.loads(yz.cli("verify", "--json", "--trust", yz.TRUST, esl).stdout)
            self.assertEqual((out["kind"], out["indication"]), ("seal", "TOTAL_PASSED"))
            self.assertEqual(yz.cli("verify", esl, ok=False).returncode, 2, "without trust it is undecided")
            again = json.loads(self.s.cli("seal", "verify", esl, "--json", who="window").stdout)
            self.assertEqual(again["verdict"]["indication"], "TOTAL_PASSED")
            brief = json.loads(self.s.cli("seal", "verify", esl, "--json", "--brief", who="window").stdout)
            self.assertEqual(brief["verdict"]["indication"], "TOTAL_PASSED")
            self.assertTrue(again["report_json"])
            self.assertFalse(brief.get("report_json"))

    def test_brief_pulls_and_inspections(self):
        h = yz.Holder("李简要")
        licence = yz.issue(self.s, h, "居民身份证")
        item = "灵活就业参保"
        told = {"pull": [], "inspect": []}
        for brief in ([], ["--brief"]):
            out = self.s.cli("pull", "--json", "--item", yz.code_of(item), "--case", "B-1", "--purpose", "参保", *brief,
                             who="window", stdin=yz.use_code(self.s, h, item))
            told["pull"].append(json.loads(out.stdout)["materials"][0]["verdict"])
            out = self.s.cli("inspect", "--json", "--purpose", "检查", *brief, who="inspector",
                             stdin=yz.show_code(self.s, h, [licence.id]))
            told["inspect"].append(json.loads(out.stdout)["licences"][0]["verdict"])
        for whole, brief in told.values():
            self.assertEqual((whole["indication"], brief["indication"]), ("TOTAL_PASSED", "TOTAL_PASSED"))
            self.assertTrue(whole["checks"])
            self.assertEqual([c for c in brief.get("checks", []) if c["result"] == "PASS"], [])
        status = json.loads(self.s.cli("status", "--json", who="system").stdout)
        self.assertTrue([c for c in status["caches"] if c["name"] == "issued_code" and int(c["hits"]) >= 4])

    def test_no_command_takes_personal_data_as_an_argument(self):
        for name in ("licence issue", "code issue", "code preview", "code cancel", "pull", "inspect"):
            text = yz.cli(*name.split(), "--help").stdout
            for word in ("--holder", "--name ", "--code "):
                self.assertNotIn(word, text)
