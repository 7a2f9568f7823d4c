"""Several servers on one PostgreSQL: any call to any server, news within a second, audit numbers that survive a death."""
import os
import secrets
import signal
import time
import unittest

import yz

ITEM = "公积金提取"
CARD = "居民身份证"


@unittest.skipUnless(yz.POSTGRES, "several servers need PostgreSQL: STORE=postgres tests/e2e/run.sh")
class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a = yz.Server().prepare()
        cls.addClassCleanup(cls.a.remove)
        cls.b = cls.a.beside()
        cls.addClassCleanup(cls.b.remove)

    def within_a_second(self, ask, answer):
        """Until `ask` gives `answer`: at most a second."""
        began = time.monotonic()
        while True:
            got = ask()
            if got == answer:
                return
            self.assertLess(time.monotonic() - began, 1, "%r instead of %r after a second" % (got, answer))
            time.sleep(0.01)

    def refusal(self, fn, *args, **fields):
        try:
            fn(*args, **fields)
            return "OK"
        except yz.Refused as e:
            return e.reason

    def test_any_call_to_any_server(self):
        h = yz.person(self.a)
        code = yz.use_code(self.b, h, ITEM)
        rid = secrets.token_bytes(16)
        got = yz.pull(self.a, code, ITEM, request_id=rid)
        again = yz.pull(self.b, code, ITEM, request_id=rid)
        self.assertEqual((again.receipt_id, again.replayed), (got.receipt_id, True))
        self.assertEqual(self.refusal(yz.pull, self.b, code, ITEM), "CODE_USED")
        self.assertTrue(self.b.call("window", "WindowService.GetReceipt", receipt_id=got.receipt_id).receipt)

    def test_a_cancelled_code_is_cancelled_everywhere(self):
        h = yz.person(self.a)
        code = yz.use_code(self.a, h, ITEM)
        self.b.call("wallet", "ShowCodeService.CancelCode", code=code, holder=h.message(),
                    presenter=h.presenter())
        self.assertEqual(self.refusal(yz.pull, self.a, code, ITEM), "CODE_CANCELLED")

    def test_a_revocation_counts_at_once(self):
        """What was verified and kept by one server is refused by it as soon as another has revoked it."""
        h = yz.Holder()
        card = yz.issue(self.a, h, CARD)
        codes = [yz.use_code(self.b, h, ITEM) for _ in range(3)]
        self.assertEqual(self.status(self.b, codes[0]), "MATERIAL_STATUS_FULFILLED")
        self.a.call("issuer-samr", "LicenceService.ChangeStatus", id=card.id, state="LICENCE_STATE_REVOKED",
                    reason="测试")
        self.assertEqual(self.status(self.b, codes[1]), "MATERIAL_STATUS_NOT_VALID")
        self.assertEqual(self.status(self.a, codes[2]), "MATERIAL_STATUS_NOT_VALID")

    @staticmethod
    def status(server, code):
        reply = yz.pull(server, code, ITEM)
        field = reply.materials[0].DESCRIPTOR.fields_by_name["status"]
        return field.enum_type.values_by_number[reply.materials[0].status].name

    def test_a_disabled_principal_is_turned_away_everywhere(self):
        ask = lambda s: self.refusal(s.call, "window2", "CatalogService.ListItems")  # noqa: E731
        self.assertEqual((ask(self.a), ask(self.b)), ("OK", "OK"))
        p = next(x for x in self.a.call("security1", "AdminService.ListPrincipals").principals if x.id == "window2")
        self.a.call("security1", "AdminService.DisablePrincipal", id="window2", reason="测试")
        self.within_a_second(lambda: ask(self.b), "PRINCIPAL_DISABLED")
        self.assertEqual(ask(self.a), "PRINCIPAL_DISABLED")
        p.disabled = False
        self.b.call("security1", "AdminService.PutPrincipal", principal=p)
        self.within_a_second(lambda: ask(self.a), "OK")

    def test_a_change_of_the_catalogue_reaches_every_server(self):
        get = lambda s: s.call("window", "CatalogService.GetItem", code=yz.code_of(ITEM))  # noqa: E731
        item = get(self.a)
        self.assertEqual(get(self.b).name, item.name)
        old, item.name = item.name, item.name + "（改）"
        self.a.call("system", "CatalogService.PutItem", item=item)
        self.within_a_second(lambda: get(self.b).name, item.name)
        item.name = old
        self.b.call("system", "CatalogService.PutItem", item=item)
        self.within_a_second(lambda: get(self.a).name, old)


@unittest.skipUnless(yz.POSTGRES, "several servers need PostgreSQL: STORE=postgres tests/e2e/run.sh")
class Sequencer(unittest.TestCase):
    def indexes(self, s):
        out, at = [], 0
        while True:
            page = s.call("audit", "AuditService.ListEntries", from_index=at, page_size=500)
            out += [e.index for e in page.entries]
            at = page.next_index
            if at == 0:
                return out

    def test_another_server_takes_over(self):
        a = yz.Server().prepare()
        self.addCleanup(a.remove)
        b = a.beside()
        self.addCleanup(b.remove)
        h = yz.person(a)
        for _ in range(3):
            tokens = a.sql("SELECT token FROM sequencer")
            holder, other = (a, b) if self.holds_lease(a, b) else (b, a)
            yz.pull(other, yz.use_code(holder, h, ITEM), ITEM)
            os.kill(holder.pid, signal.SIGKILL)
            holder.close()
            began = time.monotonic()
            yz.pull(other, yz.use_code(other, h, ITEM), ITEM)
            other.settle()
            self.assertLess(time.monotonic() - began, 8)
            self.assertNotEqual(a.sql("SELECT token FROM sequencer"), tokens)
            got = self.indexes(other)
            self.assertEqual(got, list(range(len(got))))
            holder.script("run")

    @staticmethod
    def holds_lease(a, b):
        """Stopping the other in order does not change the token; stopping the holder does."""
        token = a.sql("SELECT token FROM sequencer")
        b.script("stop")
        b.close()
        time.sleep(0.5)
        held = a.sql("SELECT token FROM sequencer") == token
        b.script("run")
        return held


if __name__ == "__main__":
    unittest.main()
