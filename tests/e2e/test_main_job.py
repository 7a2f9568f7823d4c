"""The main job: seal, issue, show, pull, receipt, inspect, audit."""
import hashlib
import json
import os
import secrets
import tempfile
import unittest

import yz
from yinzheng.v1 import showcode_pb2

ITEM = "公积金提取"


def person_with_papers(s):
    """A person who holds every licence that the item needs and that this server's agency may issue."""
    h = yz.Holder()
    ids = {}
    for m in yz.item_of(ITEM)["materials"]:
        t = next(x for x in yz.CATALOGUE["types"] if x["code"] == m["type_code"])
        who = "issuer-mnr" if t["name"] in ("不动产权证书", "建筑工程施工许可证") else "issuer-samr"
        ids[m["name"]] = yz.issue(s, h, t["name"], who=who).id
    return h, ids


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()
        try:
            cls.s.make_seal(owner=yz.MNR, signer="mnr", name="云州市自然资源和规划局")
        except yz.Refused:
            pass

    def test_pull_gives_what_the_item_names_and_nothing_else(self):
        h, ids = person_with_papers(self.s)
        seen = yz.preview(self.s, h, ITEM)
        code = yz.use_code(self.s, h, ITEM)
        got = yz.pull(self.s, code, ITEM)
        self.assertTrue(got.complete)
        self.assertEqual(got.holder_name, h.name)
        wanted = {m["name"]: m["fields"] for m in yz.item_of(ITEM)["materials"]}
        self.assertEqual([m.name for m in got.materials], list(wanted))
        for m, p in zip(got.materials, seen.preview):
            self.assertEqual(m.status, 1, m.why)
            self.assertEqual([f.name for f in m.fields], wanted[m.name])
            self.assertEqual([(f.name, f.value) for f in m.fields], [(f.name, f.value) for f in p.fields])
            self.assertEqual(m.licence_id, ids[m.name])
            self.assertEqual(m.verdict.indication, "TOTAL_PASSED")
            self.assertTrue(m.source and m.source_time)

    def test_receipt_verifies_offline_and_its_digests_can_be_recomputed(self):
        h, _ = person_with_papers(self.s)
        got = yz.pull(self.s, yz.use_code(self.s, h, ITEM), ITEM, case_number="BJ-77")
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "r.yzr")
            with open(path, "wb") as f:
                f.write(got.receipt)
            out = json.loads(yz.cli("verify", "--json", "--trust", yz.TRUST, path).stdout)
            self.assertEqual((out["kind"], out["indication"]), ("receipt", "TOTAL_PASSED"))
            flipped = bytearray(got.receipt)
            flipped[len(flipped) // 2] ^= 1
            with open(path, "wb") as f:
                f.write(flipped)
            bad = yz.cli("verify", "--json", "--trust", yz.TRUST, path, ok=False)
            self.assertEqual(bad.returncode, 1)
            self.assertEqual(json.loads(bad.stdout)["indication"], "TOTAL_FAILED")
        f = got.materials[0].fields[0]
        digest = hashlib.new("sm3", got.receipt_salt + f.name.encode() + b"\0" + f.value.encode()).digest()
        self.assertIn(digest, got.receipt)
        self.assertNotIn(f.value.encode(), got.receipt)
        self.assertIn(hashlib.new("sm3", got.receipt_salt + b"BJ-77").digest(), got.receipt)
        again = self.s.call("window", "WindowService.GetReceipt", receipt_id=got.receipt_id).receipt
        self.assertIn(digest, again)
        with self.assertRaises(yz.Refused) as no:
            self.s.call("window2", "WindowService.GetReceipt", receipt_id=got.receipt_id)
        self.assertEqual(no.exception.reason, "RECEIPT_UNKNOWN")

    def test_brief_leaves_out_what_is_good_and_nothing_else(self):
        h, ids = person_with_papers(self.s)
        whole = yz.pull(self.s, yz.use_code(self.s, h, ITEM), ITEM)
        rid = secrets.token_bytes(16)
        code = yz.use_code(self.s, h, ITEM)
        brief = yz.pull(self.s, code, ITEM, brief=True, request_id=rid)
        again = yz.pull(self.s, code, ITEM, brief=True, request_id=rid)
        self.assertEqual((again.materials, again.receipt_salt), (brief.materials, brief.receipt_salt))
        self.assertTrue(again.replayed and again.receipt and brief.receipt)
        for a, b in zip(whole.materials, brief.materials):
            self.assertEqual((a.fields, a.licence_id, a.status, a.state), (b.fields, b.licence_id, b.status, b.state))
            self.assertEqual(b.verdict.indication, "TOTAL_PASSED")
            self.assertEqual([c for c in a.verdict.checks if c.result != "PASS"], list(b.verdict.checks))
            self.assertLess(len(b.verdict.checks), len(a.verdict.checks))
        one = list(ids.values())[0]
        seen = [self.s.call("inspector", "InspectionService.Inspect", code=yz.show_code(self.s, h, [one]), purpose="检查",
                            brief=b).licences[0] for b in (False, True)]
        self.assertEqual((seen[0].face, seen[0].state, seen[0].usable), (seen[1].face, seen[1].state, seen[1].usable))
        self.assertLess(len(seen[1].verdict.checks), len(seen[0].verdict.checks))

    def test_asking_twice_is_answered_once(self):
        h, _ = person_with_papers(self.s)
        code = yz.use_code(self.s, h, ITEM)
        rid = secrets.token_bytes(16)
        first = yz.pull(self.s, code, ITEM, request_id=rid)
        second = yz.pull(self.s, code, ITEM, request_id=rid)
        self.assertFalse(first.replayed)
        self.assertTrue(second.replayed)
        self.assertEqual(first.materials, second.materials)
        self.assertEqual(first.receipt_id, second.receipt_id)
        self.assertTrue(second.receipt)
        with self.assertRaises(yz.Refused) as no:
            yz.pull(self.s, code, ITEM)
        self.assertEqual(no.exception.reason, "CODE_USED")

    def test_declined_missing_and_suspended_materials_say_so(self):
        h, ids = person_with_papers(self.s)
        names = list(ids)
        seen = yz.preview(self.s, h, ITEM)
        code = yz.use_code(self.s, h, ITEM, declined_licences=[ids[names[0]]])
        got = yz.pull(self.s, code, ITEM)
        self.assertFalse(got.complete)
        self.assertEqual(got.materials[0].status, 4)
        self.assertEqual(len(got.materials[0].fields), 0)
        self.assertEqual(len(seen.preview), len(names))
        code = yz.use_code(self.s, h, ITEM)
        self.s.call(self.issuer_of(ids[names[0]]), "LicenceService.ChangeStatus", id=ids[names[0]],
                    state="LICENCE_STATE_SUSPENDED", reason="涉嫌冒用，调查中")
        got = yz.pull(self.s, code, ITEM)
        self.assertEqual((got.materials[0].status, got.materials[0].state), (3, 2))
        self.assertEqual(len(got.materials[0].fields), 0)
        self.assertEqual(got.materials[0].verdict.indication, "TOTAL_PASSED", "suspended is not forged")
        poor = yz.Holder("李少证")
        yz.issue(self.s, poor, "居民身份证")
        got = yz.pull(self.s, yz.use_code(self.s, poor, ITEM), ITEM)
        self.assertEqual([m.status for m in got.materials], [1, 2, 2])
        self.assertFalse(got.complete)
        with self.assertRaises(yz.Refused) as no:
            yz.use_code(self.s, yz.Holder("李无证"), ITEM)
        self.assertEqual(no.exception.reason, "NOTHING_TO_SHOW")

    @staticmethod
    def issuer_of(licence_id):
        return "issuer-mnr" if yz.MNR in licence_id else "issuer-samr"

    def test_inspector_sees_faces_and_states(self):
        h = yz.Holder("云州市小满餐饮有限公司", organisation=True)
        lic = yz.issue(self.s, h, "食品经营许可证")
        got = self.s.call("inspector", "InspectionService.Inspect", code=yz.show_code(self.s, h, [lic.id]),
                          purpose="日常检查", place="云州路1号")
        one = got.licences[0]
        self.assertTrue(one.usable, one.why)
        self.assertEqual((one.state, one.verdict.indication), (1, "TOTAL_PASSED"))
        faces = [f["name"] for f in yz.type_of("食品经营许可证")["fields"] if f["face"]]
        self.assertEqual([f.name for f in one.face], faces)
        got = self.s.call("inspector", "InspectionService.Inspect", licence_id=lic.id, basis="《食品安全法》第一百一十条",
                          purpose="日常检查")
        self.assertEqual(got.licences[0].id, lic.id)
        with self.assertRaises(yz.Refused) as no:
            self.s.call("inspector", "InspectionService.Inspect", licence_id=lic.id, purpose="日常检查")
        self.assertEqual(no.exception.reason, "BASIS_MISSING")
        self.s.call("issuer-samr", "LicenceService.ChangeStatus", id=lic.id, state="LICENCE_STATE_REVOKED",
                    reason="吊销")
        got = self.s.call("inspector", "InspectionService.Inspect", licence_id=lic.id, basis="《食品安全法》第一百一十条",
                          purpose="日常检查")
        self.assertEqual(got.licences[0].state, 3)
        self.assertFalse(got.licences[0].usable)
        history = self.s.call("issuer-samr", "LicenceService.GetHistory", id=lic.id).events
        self.assertEqual([e.state for e in history], ["valid", "revoked"])

    def test_every_use_leaves_an_entry_with_salted_digests_only(self):
        h, ids = person_with_papers(self.s)
        got = yz.pull(self.s, yz.use_code(self.s, h, ITEM), ITEM, case_number="BJ-审计-1")
        entries, at = [], 0
        while True:
            page = self.s.call("audit", "AuditService.ListEntries", from_index=at, page_size=200)
            entries += page.entries
            at = page.next_index
            if at == 0:
                break
        self.assertEqual([e.index for e in entries], list(range(len(entries))), "the index is dense")
        mine = [e for e in entries if any(v.value == "BJ-审计-1" for v in e.values)]
        self.assertEqual(len(mine), 1)
        e = mine[0]
        self.assertEqual(hashlib.sha256(b"\0" + e.record).digest(), e.leaf_hash)
        self.assertIn(e.leaf_hash, got.receipt)
        for v in e.values:
            self.assertNotIn(v.value.encode(), e.record)
            digest = hashlib.new("sm3", v.salt + v.name.encode() + b"\0" + v.value.encode()).digest()
            self.assertEqual(digest, v.digest)
            self.assertIn(digest, e.record)
        self.assertIn(h.code, [v.value for v in e.values])
        self.assertFalse(any(h.code.encode() in x.record for x in entries))

    def test_no_personal_data_in_the_log(self):
        h, ids = person_with_papers(self.s)
        code = yz.use_code(self.s, h, ITEM)
        yz.pull(self.s, code, ITEM)
        log = self.s.log()
        for secret in (h.name, h.code, code, next(iter(ids.values()))):
            self.assertNotIn(secret, log)

    def test_seals_life(self):
        s = self.s
        with self.assertRaises(yz.Refused) as no:
            s.make_seal(owner=yz.CENTRE, signer="hrss", name="云州市政务服务中心")
        self.assertEqual((no.exception.reason, no.exception.field), ("FIELD_INVALID", "certificates"))
        seal = s.make_seal(owner=yz.HRSS, signer="hrss", name="云州市人力资源和社会保障局")
        self.assertEqual(seal.state, 1)
        self.assertFalse(seal.can_sign)
        s.call("sealer", "SealService.ChangeSealStatus", id=seal.id, state="SEAL_STATE_SUSPENDED", reason="换人")
        s.call("sealer", "SealService.ChangeSealStatus", id=seal.id, state="SEAL_STATE_REVOKED", reason="停用")
        with self.assertRaises(yz.Refused) as no:
            s.call("sealer", "SealService.ChangeSealStatus", id=seal.id, state="SEAL_STATE_ACTIVE", reason="恢复")
        self.assertEqual(no.exception.reason, "STATE_CHANGE_INVALID")
        events = s.call("sealer", "SealService.GetSealHistory", id=seal.id).events
        self.assertEqual([e.state for e in events], ["active", "suspended", "revoked"])

    def test_sign_a_file_and_verify_it_offline(self):
        with tempfile.TemporaryDirectory() as d:
            data, sig = os.path.join(d, "决定书.txt"), os.path.join(d, "sig.dat")
            with open(data, "w", encoding="utf-8") as f:
                f.write("准予许可。\n")
            self.s.cli("seal", "sign", data, "--seal", self.s.seal.id, "--purpose", "准予许可决定", "-o", sig,
                       who="issuer-samr")
            r = yz.cli("verify", "--json", "--trust", yz.TRUST, "--data", data, sig)
            self.assertEqual(json.loads(r.stdout)["indication"], "TOTAL_PASSED")
            with open(data, "a", encoding="utf-8") as f:
                f.write("改")
            r = yz.cli("verify", "--json", "--trust", yz.TRUST, "--data", data, sig, ok=False)
            self.assertEqual(r.returncode, 1)
            self.assertEqual(json.loads(r.stdout)["sub_indication"], "HASH_FAILURE")
            r = yz.cli("verify", "--json", "--trust", yz.TRUST, sig, ok=False)
            self.assertEqual((r.returncode, json.loads(r.stdout)["sub_indication"]), (2, "SIGNED_DATA_NOT_FOUND"))

    def test_a_flipped_byte_in_a_licence_file_is_caught(self):
        h = yz.Holder()
        lic = yz.issue(self.s, h, "居民身份证")
        file = bytearray(self.s.call("issuer-samr", "LicenceService.GetFile", id=lic.id).file)
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "l.yzl")
            with open(path, "wb") as f:
                f.write(file)
            r = yz.cli("verify", "--json", "--trust", yz.TRUST, path)
            self.assertEqual(json.loads(r.stdout)["kind"], "licence")
            at = file.index(h.name.encode())
            file[at + 2] ^= 1
            with open(path, "wb") as f:
                f.write(file)
            r = yz.cli("verify", "--json", "--trust", yz.TRUST, path, ok=False)
            self.assertEqual((r.returncode, json.loads(r.stdout)["indication"]), (1, "TOTAL_FAILED"))

    def test_show_code_for_a_named_organisation(self):
        h = yz.Holder()
        lic = yz.issue(self.s, h, "居民身份证")
        here = showcode_pb2.Audience(kind="AUDIENCE_KIND_ORGANISATION", org_code=yz.CENTRE)
        code = yz.show_code(self.s, h, [lic.id], audience=here)
        got = self.s.call("window", "InspectionService.Inspect", code=code, purpose="核对")
        self.assertEqual(got.licences[0].id, lic.id)
        elsewhere = showcode_pb2.Audience(kind="AUDIENCE_KIND_ORGANISATION", org_code=yz.SAMR)
        code = yz.show_code(self.s, h, [lic.id], audience=elsewhere)
        with self.assertRaises(yz.Refused) as no:
            self.s.call("inspector", "InspectionService.Inspect", code=code, purpose="核对")
        self.assertEqual(no.exception.reason, "CODE_AUDIENCE")
