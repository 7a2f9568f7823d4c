"""The load generator against a real server: what it counts, what it draws, what it refuses."""
import json
import os
import tempfile
import unittest

import yz

ITEM = "公积金提取"


def code_request(h, **more):
    presenter = {"name": h.name, "code_type": "111", "code": h.code, "capacity": "self",
                 "authentication": {"method": "face", "level": 3, "time": "", "reference": "R"}}
    return {"holder": {"name": h.name, "code_type": "111", "code": h.code}, "presenter": presenter, "purpose": "测量",
            **more}


class BenchLoad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()
        cls.tmp = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.tmp.cleanup)
        h = yz.Holder()
        card = yz.issue(cls.s, h, "居民身份证").id
        cls.codes = cls.path("codes.json")
        with open(cls.codes, "w", encoding="utf-8") as f:
            json.dump([code_request(h, kind="use", audience={"kind": "windows"}, item_code=yz.code_of(ITEM)),
                       code_request(h, kind="show", audience={"kind": "inspectors"}, show=[{"licence_id": card}])], f)
        cls.document = cls.path("licence.yzl")
        with open(cls.document, "wb") as f:
            f.write(cls.s.call("issuer-samr", "LicenceService.GetFile", id=card).file)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.tmp.name, name)

    def load(self, *args, ok=True):
        return self.s.cli("bench", "load", "--config", os.path.join(self.s.dir, "client.ini"), "-n", "2", "-c", "4", "-d",
                          "1", "-w", "0", *args, ok=ok)

    def entries(self, action):
        n, at = 0, 0
        while True:
            page = self.s.call("audit", "AuditService.ListEntries", from_index=at, page_size=500, action=action)
            n += len(page.entries)
            at = page.next_index
            if at == 0:
                return n

    def test_a_mix_in_an_open_loop_is_answered_and_audited(self):
        before = self.entries("pull"), self.entries("inspect")
        got = json.loads(self.load("--mix", "null=2,verify,show,pull,inspect", "--rate", "60", "--codes", self.codes,
                                   "--document", self.document, "--json").stdout)
        calls = got["calls"]
        self.assertEqual((got["mode"], got["verify_indication"]), ("open", "TOTAL_PASSED"))
        self.assertEqual({k: (v["ok"], v["refused"]) for k, v in calls.items()},
                         {"null": (20, 0), "verify": (10, 0), "show": (10, 0), "pull": (10, 0), "inspect": (10, 0)})
        for one in calls.values():
            self.assertTrue(0 < one["p50_ms"] <= one["p90_ms"] <= one["p99_ms"] <= one["p999_ms"] <= one["max_ms"])
        # One more of each: the trial before the load.
        self.assertEqual((self.entries("pull") - before[0], self.entries("inspect") - before[1]), (11, 11))

    def test_a_closed_loop_goes_on_when_the_codes_made_before_are_used_up(self):
        got = json.loads(self.load("--mix", "pull", "--codes", self.codes, "--stock", "3", "--json").stdout)
        pulls = got["calls"]["pull"]
        self.assertGreater(pulls["ok"], 3)
        self.assertEqual(pulls["refused"], 0)
        self.assertTrue(0 < got["codes_beside"] <= pulls["ok"])

    def test_table_and_pictures(self):
        out = self.load("--mix", "null", "--picture", self.path("p.svg")).stdout
        self.assertIn("p99.9 ms", out)
        self.assertIn("closed loop, 4 in flight", out)
        with open(self.path("p.svg"), encoding="utf-8") as f:
            self.assertIn("<svg", f.read())
        self.load("--mix", "null", "--picture", self.path("p.png"))
        with open(self.path("p.png"), "rb") as f:
            self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")

    def test_refusals_are_counted_by_status_and_reason(self):
        limited = yz.Server(extra="[limits]\nprincipal_per_minute = 30\n")
        self.addCleanup(limited.remove)
        got = json.loads(limited.cli("bench", "load", "--config", os.path.join(limited.dir, "client.ini"), "-n", "1", "-c",
                                     "2", "-d", "1", "-w", "0", "--mix", "verify", "--document", self.document,
                                     "--json").stdout)
        verify = got["calls"]["verify"]
        self.assertTrue(0 < verify["ok"] < 30)
        self.assertEqual(verify["refused"], sum(r["count"] for r in verify["refusals"]))
        self.assertIn("RESOURCE_EXHAUSTED", [r["status"] for r in verify["refusals"]])

    def test_status_shows_what_the_caches_spare(self):
        self.load("--mix", "verify", "--brief", "--document", self.document)
        got = json.loads(self.s.cli("status", "--json", who="system").stdout)
        caches = {c["name"]: c for c in got["caches"]}
        self.assertLessEqual({"seal", "chain", "licence", "certificate", "read_seal", "signer_table"}, set(caches))
        for name in ("seal", "chain", "licence", "certificate"):
            self.assertGreater(int(caches[name]["hits"]), 0, name)
        self.assertTrue(0 < int(got["cache_bytes"]) <= int(got["cache_limit"]))

    def test_what_is_wrong_is_said_before_the_load(self):
        def refused(status, word, *args):
            r = self.load(*args, ok=False)
            self.assertEqual(r.returncode, status, r.stdout + r.stderr)
            self.assertIn(word, r.stdout + r.stderr)

        refused(64, "'nil' is none of", "--mix", "nil")
        refused(64, "weight of 'null'", "--mix", "null=0")
        refused(64, "codes", "--mix", "pull")
        refused(64, "document", "--mix", "verify")
        refused(66, "FILE_UNREADABLE", "--mix", "verify", "--document", self.path("absent"))
        refused(65, "JSON", "--mix", "pull", "--codes", self.document)
        refused(69, "SERVER_UNREACHABLE", "--mix", "null", "--server", "localhost:1")
        refused(77, "ROLE_MISSING", "--mix", "show", "--codes", self.codes, "--wallet", "window")
        refused(73, "FILE_UNWRITABLE", "--mix", "null", "--picture", self.path("no/p.svg"))


if __name__ == "__main__":
    unittest.main()
