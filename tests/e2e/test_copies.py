"""Copies of the store, and a copy put in the place of one that is lost: of a file, and with PostgreSQL's own tools."""
import os
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

import yz
from test_maintain import check, daemon
from test_store import kill

ITEM = "公积金提取"


def take_key(s, other):
    """other's master key is that of s."""
    with open(os.path.join(s.dir, "master.key"), "rb") as a:
        put_key(other, a.read())


def put_key(s, text):
    path = os.path.join(s.dir, "master.key")
    with open(path, "wb") as out:
        out.write(text)
    os.chmod(path, 0o600)


def restores(s):
    return [e.action for e in s.call("audit", "AuditService.ListEntries", action="store.restore").entries]


class Copies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.Server().prepare()
        cls.addClassCleanup(cls.s.remove)
        cls.holder = yz.person(cls.s)

    def copy(self, name):
        path = os.path.join(self.s.dir, name)
        r = daemon(self.s, "backup", "--to", path)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        return path

    def elsewhere(self):
        """A place without a store, with the catalogue's and people's master key."""
        other = yz.Server(start="configure")
        self.addCleanup(other.remove)
        take_key(self.s, other)
        return other

    def code(self):
        return yz.use_code(self.s, self.holder, ITEM, life_seconds=300)

    def used_after(self, name):
        """A code that is open in the copy, and was used after it: and the copy."""
        code = self.code()
        path = self.copy(name)
        yz.pull(self.s, code, ITEM)
        return code, path

    def refused(self, s, code, reason):
        with self.assertRaises(yz.Refused) as no:
            yz.pull(s, code, ITEM)
        self.assertEqual(no.exception.reason, reason)

    @yz.lite_only
    def test_beside_writers_it_is_one_moment(self):
        done = threading.Event()
        used = []

        def work():
            while not done.is_set():
                used.append(yz.pull(self.s, yz.use_code(self.s, self.holder, ITEM), ITEM).receipt_id)

        t = threading.Thread(target=work)
        t.start()
        try:
            while len(used) < 3:
                time.sleep(0.01)
            path = self.copy("busy.db")
        finally:
            done.set()
            t.join()
        db = sqlite3.connect(path)
        receipts = {r[0] for r in db.execute("SELECT id FROM receipts")}
        spent = db.execute("SELECT count(*) FROM codes WHERE used <> 0").fetchone()[0]
        pulls = db.execute("SELECT count(*) FROM audit WHERE action = 'pull'").fetchone()[0]
        db.close()
        self.assertTrue(set(used[:3]) <= receipts)
        self.assertEqual(spent, pulls)
        self.assertEqual(len(receipts), pulls)

    def test_restore(self):
        open_code, spent = self.code(), self.code()
        receipt = yz.pull(self.s, spent, ITEM).receipt_id
        path = self.copy("copy.db")
        # Used after the copy was made: the restored store has not seen it, and must refuse it all the same.
        yz.pull(self.s, open_code, ITEM)
        other = self.elsewhere()
        r = daemon(other, "restore", "--from", path)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("codes_cancelled=1", r.stderr)
        self.assertEqual(check(other).returncode, 0)
        other.script("run")
        self.assertTrue(other.call("window", "WindowService.GetReceipt", receipt_id=receipt).receipt)
        self.refused(other, open_code, "CODE_CANCELLED")
        self.refused(other, spent, "CODE_USED")
        self.assertEqual(restores(other), ["store.restore"])
        self.assertNotIn("restore-finished", other.log())
        other.stop()
        # Nothing is replaced.
        r = daemon(other, "restore", "--from", path)
        self.assertEqual(r.returncode, 78)
        self.assertIn("ALREADY_EXISTS", r.stderr)

    def finished_by_run(self, other, open_code):
        other.script("run")
        self.assertIn("event=restore-finished", other.log())
        self.refused(other, open_code, "CODE_CANCELLED")
        yz.pull(other, yz.use_code(other, self.holder, ITEM), ITEM)
        self.assertEqual(restores(other), ["store.restore"])
        later = yz.use_code(other, self.holder, ITEM, life_seconds=300)
        other.stop()
        other.script("run")  # once is enough
        self.assertNotIn("event=restore-finished", other.log()[other.log().rindex("event=stopped"):])
        yz.pull(other, later, ITEM)
        self.assertEqual(check(other).returncode, 0)

    def test_a_restore_with_another_key_is_finished_later(self):
        open_code, path = self.used_after("key.db")
        other = self.elsewhere()
        put_key(other, b"00" * 32 + b"\n")
        r = daemon(other, "restore", "--from", path)
        self.assertEqual((r.returncode, "MASTER_KEY_WRONG" in r.stderr, "restore-unfinished" in r.stderr), (78, True, True),
                         r.stderr)
        take_key(self.s, other)
        self.finished_by_run(other, open_code)

    def test_a_restore_that_was_killed_is_finished_later(self):
        """At any moment: there is no store yet and it can be tried again, or what was restored serves without the codes."""
        open_code, path = self.used_after("killed.db")
        other, unfinished = self.elsewhere(), 0
        for turn in range(40):
            p = subprocess.Popen([os.path.join(yz.BUILD, "yinzhengd"), "restore", "--config",
                                  os.path.join(other.dir, "yinzhengd.ini"), "--from", path], stderr=subprocess.PIPE)
            time.sleep(0.004 * turn)
            p.send_signal(signal.SIGKILL)
            told = p.communicate()[1].decode()
            if p.returncode == 78:
                self.assertIn("ALREADY_EXISTS", told)
            if check(other).returncode == 0:
                break
            unfinished += 1
            if yz.POSTGRES:  # pg_restore goes on by itself for a moment
                time.sleep(0.5)
        self.assertGreater(unfinished, 0)
        other.script("run")
        self.refused(other, open_code, "CODE_CANCELLED")
        self.assertEqual(restores(other), ["store.restore"])

    def test_a_copy_of_an_unfinished_one(self):
        open_code, path = self.used_after("first.db")
        other = self.elsewhere()
        put_key(other, b"00" * 32 + b"\n")
        self.assertEqual(daemon(other, "restore", "--from", path).returncode, 78)
        again = os.path.join(self.s.dir, "second.db")
        r = daemon(other, "backup", "--to", again)
        self.assertEqual(r.returncode, 0, r.stderr)
        third = self.elsewhere()
        r = daemon(third, "restore", "--from", again)
        self.assertEqual((r.returncode, "codes_cancelled=1" in r.stderr), (0, True), r.stderr)
        third.script("run")
        self.refused(third, open_code, "CODE_CANCELLED")

    @yz.lite_only
    def test_the_log_of_a_store_that_is_gone_stays(self):
        """Moved away without it, killed before: with another store it would be mixed, and its commits are in it alone."""
        path = self.copy("log.db")
        lost = yz.Server().prepare()
        self.addCleanup(lost.remove)
        yz.person(lost)
        kill(lost)
        store = os.path.join(lost.dir, "store.db")
        os.rename(store, store + ".away")
        with open(store + "-wal", "rb") as f:
            before = f.read()
        self.assertGreater(len(before), 0)
        take_key(self.s, lost)
        for words in (("restore", "--from", path), ("init", "--admin-cert", os.path.join(yz.PKI, "tls", "security1.crt"))):
            r = daemon(lost, *words)
            self.assertEqual(r.returncode, 78, r.stderr)
            self.assertIn("The log of a store that is gone lies here", r.stderr)
            self.assertFalse(os.path.exists(store))
        with open(store + "-wal", "rb") as f:
            self.assertEqual(f.read(), before)
        os.rename(store + "-wal", store + ".away-wal")
        r = daemon(lost, "restore", "--from", path)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(check(lost).returncode, 0)

    def test_refusals(self):
        path = self.copy("once.db")
        r = daemon(self.s, "backup", "--to", path)
        self.assertEqual((r.returncode, "ALREADY_EXISTS" in r.stderr), (78, True), r.stderr)
        r = daemon(self.s, "backup", "--to", os.path.join(self.s.dir, "no", "folder.db"))
        self.assertNotEqual(r.returncode, 0)
        self.assertEqual(daemon(self.s, "backup").returncode, 64)
        self.assertEqual(daemon(self.s, "backup", "--from", path).returncode, 64)
        r = daemon(self.s, "restore", "--from", path)
        expected = (78, "ALREADY_EXISTS") if yz.POSTGRES else (69, "STORE_SERVED")
        self.assertEqual((r.returncode, expected[1] in r.stderr), (expected[0], True), r.stderr)
        other = self.elsewhere()
        for junk in (b"", b"no database" * 999, b"PGDMP" + b"no dump" * 999, None):
            source = os.path.join(other.dir, "junk")
            if os.path.exists(source):
                os.unlink(source)
            if junk is not None:
                with open(source, "wb") as out:
                    out.write(junk)
            r = daemon(other, "restore", "--from", source)
            self.assertIn(r.returncode, (69, 78), r.stderr)
            self.assertFalse(os.path.exists(os.path.join(other.dir, "store.db")), "nothing half done stays")
            self.assertEqual(check(other).returncode, 78)
        # What came to nothing is in nobody's way.
        r = daemon(other, "restore", "--from", path)
        self.assertEqual(r.returncode, 0, r.stderr)

    @yz.lite_only
    def test_full_disk(self):
        r = subprocess.run(["sh", "-c", "ulimit -f 100; exec \"$0\" \"$@\"", os.path.join(yz.BUILD, "yinzhengd"), "backup",
                            "--config", os.path.join(self.s.dir, "yinzhengd.ini"), "--to",
                            os.path.join(self.s.dir, "full.db")], capture_output=True, text=True, check=False)
        self.assertNotEqual(r.returncode, 0)
        self.assertFalse(os.path.exists(os.path.join(self.s.dir, "full.db")))


if __name__ == "__main__":
    unittest.main()
