"""Bad input, each with its stable reason."""
import concurrent.futures
import datetime
import secrets
import time
import unittest

import grpc
import yz
from yinzheng.v1 import admin_pb2, common_pb2, showcode_pb2

ITEM = "公积金提取"
DENIED, INVALID = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION, NOT_FOUND = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.shared()
        cls.h = yz.Holder()
        cls.lic = yz.issue(cls.s, cls.h, "居民身份证")

    def refused(self, reason, status, fn, /, *args, **kw):
        with self.assertRaises(yz.Refused) as no:
            fn(*args, **kw)
        e = no.exception
        self.assertEqual((e.reason, e.status), (reason, status), str(e))
        self.assertTrue(e.help, "a refusal says what to do")
        return e


class Codes(Case):
    def code(self, **fields):
        return yz.use_code(self.s, self.h, ITEM, **fields)

    def test_unknown(self):
        self.refused("CODE_UNKNOWN", NOT_FOUND, yz.pull, self.s, "YZ1" + "0" * 32, ITEM)

    def test_malformed(self):
        for bad in ("", "hello", "YZ2" + "0" * 32, "YZ1" + "0" * 31, "YZ1" + "0" * 31 + "U", "YZ1:ABC"):
            self.refused("CODE_MALFORMED", INVALID, yz.pull, self.s, bad, ITEM)

    def test_what_scan_guns_and_people_do_to_it(self):
        code = self.code()
        wide = "".join(chr(ord(c) + 0xFEE0) for c in code.lower())
        self.assertTrue(yz.pull(self.s, " " + wide, ITEM).receipt_id)

    def test_used(self):
        code = self.code()
        yz.pull(self.s, code, ITEM)
        self.refused("CODE_USED", PRECONDITION, yz.pull, self.s, code, ITEM)

    def test_expired(self):
        code = self.code(life_seconds=1)
        time.sleep(1.3)
        self.refused("CODE_EXPIRED", PRECONDITION, yz.pull, self.s, code, ITEM)

    def test_life_is_capped(self):
        self.refused("FIELD_INVALID", INVALID, self.code, life_seconds=301)

    def test_cancelled(self):
        code = self.code()
        self.s.call("wallet", "ShowCodeService.CancelCode", holder=self.h.message(), presenter=self.h.presenter(),
                    code=code)
        self.refused("CODE_CANCELLED", PRECONDITION, yz.pull, self.s, code, ITEM)

    def test_cancelled_by_another_holder(self):
        code, other = self.code(), yz.Holder("旁人")
        self.refused("CODE_UNKNOWN", NOT_FOUND, self.s.call, "wallet", "ShowCodeService.CancelCode",
                     holder=other.message(), presenter=other.presenter(), code=code)
        self.assertTrue(yz.pull(self.s, code, ITEM).receipt_id)

    def test_wrong_audience_does_not_spend_it(self):
        there = showcode_pb2.Audience(kind="AUDIENCE_KIND_ORGANISATION", org_code=yz.SAMR)
        code = self.code(audience=there)
        self.refused("CODE_AUDIENCE", DENIED, yz.pull, self.s, code, ITEM)
        self.refused("CODE_AUDIENCE", DENIED, yz.pull, self.s, code, ITEM)

    def test_wrong_kind_does_not_spend_it(self):
        code = yz.show_code(self.s, self.h, [self.lic.id])
        self.refused("CODE_AUDIENCE", DENIED, yz.pull, self.s, code, ITEM)
        self.assertTrue(self.s.call("inspector", "InspectionService.Inspect", code=code, purpose="检查").receipt_id)

    def test_the_name_is_the_issuers_not_the_wallets(self):
        other = yz.Holder("冒名者")
        other.code = self.h.code
        self.assertEqual(yz.pull(self.s, yz.use_code(self.s, other, ITEM), ITEM).holder_name, self.h.name)
        code = yz.show_code(self.s, other, [self.lic.id])
        seen = self.s.call("inspector", "InspectionService.Inspect", code=code, purpose="检查")
        self.assertEqual(seen.holder_name, self.h.name)

    def test_another_item(self):
        code = self.code()
        self.refused("CODE_ITEM", PRECONDITION, yz.pull, self.s, code, "灵活就业参保")
        self.assertTrue(yz.pull(self.s, code, ITEM).receipt_id)

    def test_two_hundred_windows_race_for_one_code(self):
        code = self.code(life_seconds=120)
        channels = [self.s.new_channel("window", [("grpc.use_local_subchannel_pool", 1)]) for _ in range(20)]
        requests = [self.s.request("window", "WindowService.Pull", code=code, item_code=yz.code_of(ITEM),
                                   case_number="C%d" % i, purpose="并发") for i in range(200)]

        def one(i):
            fn, _ = self.s.stub("window", "WindowService.Pull", channels[i % 20])
            while True:
                try:
                    return fn(requests[i], timeout=30).receipt_id
                except grpc.RpcError as e:
                    reason = yz.Refused(e).reason
                if reason != "OVERLOADED":  # a slow machine refuses some of so many at once: they ask again
                    return reason
                time.sleep(0.1)

        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            out = list(pool.map(one, range(200)))
        for c in channels:
            c.close()
        won = [x for x in out if x.startswith("YZR-")]
        self.assertEqual(len(won), 1, out)
        self.assertEqual(set(out) - set(won), {"CODE_USED"})

    def test_preview_that_is_no_longer_true(self):
        seen = yz.preview(self.s, self.h, ITEM)
        yz.issue(self.s, self.h, "居民身份证")
        self.refused("PREVIEW_CHANGED", PRECONDITION, self.code, preview_digest=seen.preview_digest)

    def test_faces_of_others_cannot_be_shown(self):
        self.refused("LICENCE_UNKNOWN", NOT_FOUND, yz.show_code, self.s, yz.Holder("别人"), [self.lic.id])


class Pulls(Case):
    def test_item_not_allowed_for_this_window(self):
        code = yz.use_code(self.s, self.h, "灵活就业参保")
        self.refused("ITEM_NOT_ALLOWED", DENIED, yz.pull, self.s, code, "灵活就业参保", who="window2")

    def test_purpose_case_operator_item(self):
        code = yz.use_code(self.s, self.h, ITEM)
        self.refused("PURPOSE_MISSING", INVALID, yz.pull, self.s, code, ITEM, purpose="")
        self.refused("CASE_MISSING", INVALID, yz.pull, self.s, code, ITEM, case_number="")
        self.refused("ITEM_MISSING", INVALID, yz.pull, self.s, code, ITEM, item_code="")
        for part in ({}, {"id": "1"}, {"id": "1", "name": "王"}):
            self.refused("OPERATOR_MISSING", INVALID, yz.pull, self.s, code, ITEM, operator=common_pb2.Operator(**part))
        self.assertTrue(yz.pull(self.s, code, ITEM).receipt_id, "refusals spend nothing")

    def test_request_id(self):
        code, rid = yz.use_code(self.s, self.h, ITEM), secrets.token_bytes(16)
        self.refused("REQUEST_ID_MISSING", INVALID, yz.pull, self.s, code, ITEM, request_id=b"")
        self.refused("FIELD_INVALID", INVALID, yz.pull, self.s, code, ITEM, request_id=b"123")
        yz.pull(self.s, code, ITEM, request_id=rid)
        self.refused("REQUEST_ID_REUSED", INVALID, yz.pull, self.s, code, ITEM, request_id=rid, purpose="别的")

    def test_unknown_item(self):
        code = yz.use_code(self.s, self.h, ITEM)
        e = self.refused("CODE_ITEM", PRECONDITION, yz.pull, self.s, code, ITEM, item_code="XX-NONE-1")
        self.assertEqual(e.field, "item_code")
        self.refused("ITEM_UNKNOWN", NOT_FOUND, self.s.call, "window", "CatalogService.GetItem", code="XX-NONE-1")


class Issuing(Case):
    def issue(self, **fields):
        return yz.issue(self.s, self.h, "居民身份证", **fields)

    def test_type_not_own(self):
        self.refused("TYPE_NOT_OWN", DENIED, self.issue, who="issuer-mnr")

    def test_unknown_type(self):
        self.refused("TYPE_NOT_OWN", DENIED, self.issue, type_code="11990100MB00001073999")

    def test_fields(self):
        first = yz.type_of("居民身份证")["fields"][0]["name"]
        good = self.h.fields("居民身份证")
        self.refused("FIELD_MISSING", INVALID, self.issue, fields=[f for f in good if f.name != first])
        self.refused("FIELD_UNKNOWN", INVALID, self.issue, fields=good + [common_pb2.Field(name="血型", value="O")])
        self.refused("FIELD_INVALID", INVALID, self.issue, fields=good + [good[0]])
        date = next(f["name"] for f in yz.type_of("居民身份证")["fields"] if f["kind"] == "date")
        for bad in ("2026-02-30", "20260101", "昨天", "2026-1-1"):
            e = self.refused("FIELD_INVALID", INVALID, self.issue, fields=self.h.fields("居民身份证", **{date: bad}))
            self.assertNotIn(bad, e.help)

    def test_holders(self):
        bad = common_pb2.Holder(name="张三", code_type="111", code=self.h.code[:-1] + ("0" if self.h.code[-1] != "0" else "1"))
        self.refused("HOLDER_CODE_INVALID", INVALID, self.issue, holders=[bad])
        self.refused("FIELD_MISSING", INVALID, self.issue, holders=[])
        self.refused("FIELD_INVALID", INVALID, self.issue, holders=[self.h.message()] * 2)
        org = common_pb2.Holder(name="某公司", code_type="001", code="91990100MA00000000")
        self.refused("HOLDER_CODE_INVALID", INVALID, self.issue, holders=[org])

    def test_same_number_twice(self):
        n = "N" + secrets.token_hex(5).upper()
        self.issue(number=n)
        self.refused("ALREADY_EXISTS", grpc.StatusCode.ALREADY_EXISTS, self.issue, number=n)

    def test_others_licences(self):
        for method in ("Get", "GetFile", "GetHistory"):
            self.refused("LICENCE_NOT_OWN", DENIED, self.s.call, "issuer-mnr", "LicenceService." + method, id=self.lic.id)
        self.refused("LICENCE_NOT_OWN", DENIED, self.s.call, "issuer-mnr", "LicenceService.ChangeStatus", id=self.lic.id,
                     state="LICENCE_STATE_REVOKED", reason="不是我的")

    def test_states(self):
        lic = yz.issue(self.s, self.h, "社会保障卡")

        def change(state, **kw):
            return self.s.call("issuer-samr", "LicenceService.ChangeStatus", id=lic.id, state=state,
                               **{"reason": "原因", **kw})
        self.refused("FIELD_MISSING", INVALID, change, "LICENCE_STATE_SUSPENDED", reason="")
        self.refused("STATE_CHANGE_INVALID", INVALID, change, "LICENCE_STATE_EXPIRED")
        future = yz.rfc3339(yz.now() + datetime.timedelta(days=1))
        self.refused("TIME_INVALID", INVALID, change, "LICENCE_STATE_SUSPENDED", effective=future)
        change("LICENCE_STATE_CANCELLED")
        self.refused("LICENCE_STATE", PRECONDITION, change, "LICENCE_STATE_VALID")


class Wallets(Case):
    def listing(self, **fields):
        values = dict(holder=self.h.message(), presenter=self.h.presenter())
        values.update(fields)
        return self.s.call("wallet", "ShowCodeService.ListHolderLicences", **values)

    def test_presenter(self):
        old = common_pb2.Authentication(method="face", level=3, reference="R",
                                        time=yz.rfc3339(yz.now() - datetime.timedelta(hours=2)))
        none = common_pb2.Authentication()
        self.refused("PRESENTER_MISSING", INVALID, self.listing, presenter=common_pb2.Presenter())
        self.refused("PRESENTER_MISSING", INVALID, self.listing, presenter=self.h.presenter(authentication=none))
        self.refused("TIME_INVALID", INVALID, self.listing, presenter=self.h.presenter(authentication=old))
        self.refused("FIELD_INVALID", INVALID, self.listing, presenter=self.h.presenter(code=yz.resident_id()))

    def test_a_window_is_no_wallet(self):
        self.refused("ROLE_MISSING", DENIED, self.s.call, "window", "ShowCodeService.ListHolderLicences",
                     holder=self.h.message(), presenter=self.h.presenter())


class Principals(Case):
    def put(self, who="security1", **fields):
        key = admin_pb2.PrincipalKey(fingerprint=secrets.token_bytes(32))
        values = dict(id="p-" + secrets.token_hex(4), name="新", org_code=yz.DATA, org_name="局", roles=["ROLE_WINDOW"],
                      keys=[key])
        values.update(fields)
        return self.s.call(who, "AdminService.PutPrincipal", principal=admin_pb2.Principal(**values))

    def test_exclusions(self):
        for pair in (("SYSTEM", "SECURITY"), ("SYSTEM", "AUDIT"), ("SECURITY", "AUDIT"), ("WALLET", "WINDOW"),
                     ("WALLET", "INSPECTOR"), ("AUDIT", "WINDOW"), ("SYSTEM", "ISSUER"), ("SECURITY", "SEALER")):
            self.refused("ROLES_CONFLICT", INVALID, self.put, roles=["ROLE_" + r for r in pair])

    def test_two_hands_for_sensitive_grants(self):
        ident = "sec-" + secrets.token_hex(4)
        fields = dict(id=ident, roles=["ROLE_SECURITY"], keys=[admin_pb2.PrincipalKey(fingerprint=secrets.token_bytes(32))])
        self.assertTrue(self.put(**fields).pending)
        self.assertTrue(self.put(**fields).pending, "the same hand twice is one hand")
        self.assertFalse(self.put(who="security2", **fields).pending)
        self.s.call("security1", "AdminService.DisablePrincipal", id=ident, reason="测试完")

    def test_disabled_at_once(self):
        p = next(p for p in self.s.call("security1", "AdminService.ListPrincipals", page_size=200).principals
                 if p.id == "window2")
        self.s.call("security1", "AdminService.DisablePrincipal", id="window2", reason="停用")
        e = self.refused("PRINCIPAL_DISABLED", grpc.StatusCode.UNAUTHENTICATED, self.s.call, "window2",
                         "CatalogService.ListItems")
        self.assertEqual(e.field, "")
        p.disabled = False
        self.s.call("security1", "AdminService.PutPrincipal", principal=p)
        self.s.call("window2", "CatalogService.ListItems")

    def test_a_key_belongs_to_one_principal(self):
        key = admin_pb2.PrincipalKey(fingerprint=secrets.token_bytes(32))
        self.put(keys=[key])
        self.refused("ALREADY_EXISTS", grpc.StatusCode.ALREADY_EXISTS, self.put, keys=[key])

    def test_roles(self):
        for who, method in (("window", "AdminService.ListPrincipals"), ("system", "AuditService.ListEntries"),
                            ("security1", "AuditService.ListEntries"), ("wallet", "AdminService.GetStatus")):
            self.refused("ROLE_MISSING", DENIED, self.s.call, who, method)
        self.refused("ROLE_MISSING", DENIED, self.s.call, "window", "SealService.CreateSeal")
        self.refused("ROLE_MISSING", DENIED, self.s.call, "inspector", "WindowService.Pull")
