"""Whose arithmetic computes SM2 is a matter of configuration, and of nothing that anybody else can see."""
import hashlib
import os
import tempfile
import unittest

import yz


def signer_tables(server):
    status = server.call("system", "AdminService.GetStatus")
    return next(c for c in status.caches if c.name == "signer_table")


class Sm2(unittest.TestCase):
    def files(self, server):
        """A licence file, and the same with a bit changed."""
        licence = yz.issue(server, yz.Holder(), "居民身份证")
        good = server.call("issuer-samr", "LicenceService.GetFile", id=licence.id).file
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        return good, bytes(bad)

    def offline(self, document):
        with tempfile.NamedTemporaryFile(suffix=".yzl") as f:
            f.write(document)
            f.flush()
            return yz.cli("verify", "--trust", yz.TRUST, f.name, ok=False).returncode

    def verdict(self, server, document):
        return server.call("window", "VerificationService.Verify", document=document).verdict.indication

    def test_both_back_ends_give_and_take_the_same(self):
        own = yz.shared()
        other = yz.Server("[sm2]\nsign = openssl\nverify = openssl\n").prepare()
        for made_by in (own, other):
            good, bad = self.files(made_by)
            self.assertEqual(self.offline(good), 0)
            self.assertEqual(self.offline(bad), 1)
            passed = {self.verdict(s, good) for s in (own, other)}
            failed = {self.verdict(s, bad) for s in (own, other)}
            self.assertEqual((len(passed), len(failed)), (1, 1))
            self.assertNotEqual(passed, failed)
        other.remove()

    def test_signers_that_return_get_a_table(self):
        s = yz.Server().prepare()
        before = signer_tables(s).hits
        for _ in range(40):
            data = os.urandom(100)
            signature = s.call("issuer-samr", "SealService.Sign", seal_id=s.seal.id, property_info="file.dat", purpose="test",
                               digest=hashlib.new("sm3", data).digest()).signature
            s.call("window", "VerificationService.Verify", document=signature, data=data, has_data=True)
        self.assertGreaterEqual(signer_tables(s).hits, before + 20)
        s.remove()

    def test_a_name_that_is_no_back_end_stops_the_start(self):
        with self.assertRaises(RuntimeError) as got:
            yz.Server("[sm2]\nsign = hardware\n")
        self.assertIn("must be own or openssl", str(got.exception))


if __name__ == "__main__":
    unittest.main()
