"""What the store must survive: kill -9, a full disk, wrong keys, other versions, a clock that is set back."""
import os
import secrets
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

import grpc
import pair
import yz

ITEM = "公积金提取"


def kill(s):
    pair.kill_all([s.pid])
    s.close()


def daemon(s, verb, *words):
    if "--config" not in words:
        words += ("--config", os.path.join(s.dir, "yinzhengd.ini"))
    return subprocess.run([os.path.join(yz.BUILD, "yinzhengd"), verb, *words], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=60)


class Crash(unittest.TestCase):
    def test_kill_between_calls(self):
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        h = yz.Holder()
        lic = yz.issue(s, h, "居民身份证")
        code, used, rid = yz.use_code(s, h, ITEM), yz.use_code(s, h, ITEM), secrets.token_bytes(16)
        got = yz.pull(s, used, ITEM, request_id=rid)
        kill(s)
        s.script("run")
        self.assertEqual(s.call("issuer-samr", "LicenceService.Get", id=lic.id).licence.id, lic.id)
        again = yz.pull(s, used, ITEM, request_id=rid)
        self.assertTrue(again.replayed)
        self.assertEqual(again.receipt_id, got.receipt_id)
        with self.assertRaises(yz.Refused) as no:
            yz.pull(s, used, ITEM)
        self.assertEqual(no.exception.reason, "CODE_USED")
        self.assertTrue(yz.pull(s, code, ITEM).receipt_id)

    def test_kill_during_calls(self):
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        h = yz.person(s)
        for _ in range(4):
            codes = [yz.use_code(s, h, ITEM, life_seconds=300) for _ in range(40)]
            acknowledged, lock = {}, threading.Lock()

            def use(part):
                channel = s.new_channel("window", [("grpc.use_local_subchannel_pool", 1)])
                fn, _ = s.stub("window", "WindowService.Pull", channel)
                for code in part:
                    req = s.request("window", "WindowService.Pull", code=code, item_code=yz.code_of(ITEM),
                                    case_number=code, purpose="P")
                    try:
                        reply = fn(req, timeout=10)
                        with lock:
                            acknowledged[code] = reply.receipt_id
                    except grpc.RpcError:
                        return
                channel.close()

            threads = [threading.Thread(target=use, args=(codes[i::4],)) for i in range(4)]
            for t in threads:
                t.start()
            while len(acknowledged) < 3 + secrets.randbelow(12) and any(t.is_alive() for t in threads):
                time.sleep(0.002)
            kill(s)
            for t in threads:
                t.join()
            s.script("run")
            used = self.cases_in_audit(s)
            for code, receipt in acknowledged.items():
                self.assertTrue(s.call("window", "WindowService.GetReceipt", receipt_id=receipt).receipt)
                self.assertEqual(used.count(code), 1, "an acknowledged use has its entry")
            for code in codes:
                try:
                    yz.pull(s, code, ITEM, case_number=code)
                    self.assertNotIn(code, used, "a code with an entry is spent")
                except yz.Refused as e:
                    self.assertEqual(e.reason, "CODE_USED")
                    self.assertEqual(used.count(code), 1, "no code is spent without an entry")

    @staticmethod
    def cases_in_audit(s):
        out, at = [], 0
        while True:
            page = s.call("audit", "AuditService.ListEntries", from_index=at, page_size=500)
            out += [v.value for e in page.entries for v in e.values if v.value.startswith("YZ1")]
            at = page.next_index
            if at == 0:
                return out


class Opening(unittest.TestCase):
    def setUp(self):
        self.s = yz.Server(start="configure+init")
        self.addCleanup(self.s.remove)

    def start_fails(self, reason, verb="run"):
        cmd = [os.path.join(yz.BUILD, "yinzhengd"), verb, "--config", os.path.join(self.s.dir, "yinzhengd.ini")]
        r = subprocess.run(cmd, capture_output=True, text=True, check=False, timeout=30)
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(reason, r.stderr)
        return r

    def path(self, name):
        return os.path.join(self.s.dir, name)

    def test_wrong_master_key(self):
        with open(self.path("master.key"), "w", encoding="ascii") as f:
            f.write(secrets.token_hex(32) + "\n")
        os.chmod(self.path("master.key"), 0o600)
        self.start_fails("MASTER_KEY_WRONG")

    def test_master_key_that_others_can_read(self):
        os.chmod(self.path("master.key"), 0o644)
        self.start_fails("may be read by others")

    def sql(self, text):
        if yz.POSTGRES:
            self.s.sql(text)
            return
        db = sqlite3.connect(self.path("store.db"))
        db.execute(text)
        db.commit()
        db.close()

    def test_store_of_a_newer_version(self):
        self.sql("UPDATE meta SET num = 999 WHERE key = 'schema'")
        self.start_fails("STORE_NEWER")

    def test_no_store(self):
        if yz.POSTGRES:
            self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        else:
            os.remove(self.path("store.db"))
        self.start_fails("STORE_NOT_INIT")

    @unittest.skipUnless(yz.POSTGRES, "of PostgreSQL")
    def test_database_of_somebody_else(self):
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE meta (key text, num int)")
        self.start_fails("STORE_CORRUPT")

    @unittest.skipUnless(yz.POSTGRES, "of PostgreSQL")
    def test_no_database_and_no_word_of_the_password(self):
        ini = self.path("yinzhengd.ini")
        with open(ini, encoding="utf-8") as f:
            text = f.read()
        url = "postgres://somebody:geheim@127.0.0.1:1/nowhere"
        with open(ini, "w", encoding="utf-8") as f:
            f.write("\n".join("url = " + url if x.startswith("url = ") else x for x in text.split("\n")))
        r = self.start_fails("STORE_IO")
        self.assertNotIn("geheim", r.stdout + r.stderr)

    @yz.lite_only
    def test_file_that_is_no_store(self):
        with open(self.path("store.db"), "wb") as f:
            f.write(secrets.token_bytes(8192))
        self.start_fails("STORE_CORRUPT")

    def test_init_twice(self):
        os.rename(self.path("master.key"), self.path("kept.key"))
        with self.assertRaises(RuntimeError) as no:
            self.s.script("init")
        self.assertIn("ALREADY_EXISTS", str(no.exception))
        self.assertFalse(os.path.exists(self.path("master.key")), "not even a key is made")
        os.rename(self.path("kept.key"), self.path("master.key"))

    def test_port_taken(self):
        self.s.script("run")
        with open(self.path("yinzhengd.ini"), encoding="utf-8") as f:
            text = f.read().replace("127.0.0.1:0", "127.0.0.1:%d" % self.s.port)
        if not yz.POSTGRES:  # the store of the living one is taken, too
            self.assertEqual(daemon(self.s, "backup", "--to", self.path("other.db")).returncode, 0)
            text = text.replace("sqlite:store.db", "sqlite:other.db")
        with open(self.path("yinzhengd.ini"), "w", encoding="utf-8") as f:
            f.write(text)
        self.start_fails("PORT_TAKEN")
        self.assertTrue(os.path.exists(self.path("health.sock")), "the socket of the living one is left alone")
        self.assertTrue(self.s.call("security1", "AdminService.ListPrincipals").principals)

    def test_configuration_with_a_mistake_names_the_line(self):
        with open(self.path("yinzhengd.ini"), "a", encoding="utf-8") as f:
            f.write("[limits]\nno_such_key = 1\n")
        r = self.start_fails("CONFIG_INVALID")
        self.assertIn("no_such_key", r.stderr)


@yz.lite_only
class OneServer(unittest.TestCase):
    """One server serves an SQLite store, and no copy comes in its place while it does."""

    def setUp(self):
        self.s = yz.Server().prepare()
        self.addCleanup(self.s.remove)

    def path(self, name):
        return os.path.join(self.s.dir, name)

    def lives(self):
        self.assertTrue(yz.issue(self.s, yz.Holder(), "居民身份证").id)

    def refused(self, *words):
        r = daemon(self.s, *words)
        self.assertEqual(r.returncode, 69, r.stderr)
        self.assertIn("STORE_SERVED", r.stderr)
        self.assertIn("Process %d serves or restores this store: %s" % (self.s.pid, os.path.realpath(self.path("store.db"))),
                      r.stderr)
        self.lives()

    def test_a_second_is_refused(self):
        port = self.s.port
        self.refused("run")
        self.assertEqual(os.stat(self.path("store.db-server")).st_mode & 0o777, 0o600)
        # Under another name, and with a configuration of its own.
        os.symlink(self.s.dir, self.path("folder"))
        with open(self.path("yinzhengd.ini"), encoding="utf-8") as f:
            text = f.read().replace("sqlite:store.db", "sqlite:folder/store.db")
        with open(self.path("other.ini"), "w", encoding="utf-8") as f:
            f.write(text)
        self.refused("run", "--config", self.path("other.ini"))
        self.assertEqual(self.s.port, port, "the living one's files are left alone")
        self.assertTrue(os.path.exists(self.path("health.sock")))

    def test_commands_go_on_beside_it(self):
        for words in (("check",), ("check", "--store"), ("backup", "--to", self.path("copy.db")), ("rotate-key",),
                      ("rotate-key", "--finish")):
            r = daemon(self.s, *words)
            self.assertEqual(r.returncode, 0, r.stderr)
        self.lives()
        self.s.stop()
        for words in (("check",), ("check", "--store"), ("backup", "--to", self.path("copy2.db")), ("rotate-key",)):
            r = daemon(self.s, *words)
            self.assertEqual(r.returncode, 0, r.stderr)

    def test_the_next_one_starts(self):
        for end in (kill, yz.Server.stop, kill):
            end(self.s)
            self.s.script("run")
            self.lives()
            self.refused("run")

    def test_restore_under_a_server(self):
        copy = self.path("copy.db")
        self.assertEqual(daemon(self.s, "backup", "--to", copy).returncode, 0)
        self.refused("restore", "--from", copy)
        # Somebody took the store away, and the server has it still.
        os.mkdir(self.path("away"))
        for tail in ("", "-wal", "-shm"):
            os.rename(self.path("store.db" + tail), self.path("away/store.db" + tail))
        r = daemon(self.s, "restore", "--from", copy)
        self.assertEqual((r.returncode, "STORE_SERVED" in r.stderr), (69, True), r.stderr)
        self.assertFalse(os.path.exists(self.path("store.db")))
        kill(self.s)
        r = daemon(self.s, "restore", "--from", copy)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.s.script("run")
        self.lives()


class Clock(unittest.TestCase):
    def test_clock_set_back(self):
        """The store wrote a time that the clock has not reached: as after a clock that was set back by twenty minutes."""
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        h = yz.person(s)
        code = yz.use_code(s, h, ITEM, life_seconds=60)
        s.script("stop")
        s.close()
        later = "UPDATE meta SET num = num + 1200000 WHERE key = 'time'"
        if yz.POSTGRES:
            s.sql(later)
        else:
            db = sqlite3.connect(os.path.join(s.dir, "store.db"))
            self.assertEqual(db.execute(later).rowcount, 1)
            db.commit()
            db.close()
        s.script("run")
        with self.assertRaises(yz.Refused) as no:
            yz.pull(s, code, ITEM)
        self.assertEqual(no.exception.reason, "CODE_EXPIRED", "an expired code does not come back to life")
        self.assertTrue(any("clock" in w.lower() for w in s.call("system", "AdminService.GetStatus").warnings))
        short = yz.use_code(s, h, ITEM, life_seconds=1)
        time.sleep(1.5)
        with self.assertRaises(yz.Refused) as no:
            yz.pull(s, short, ITEM)
        self.assertEqual(no.exception.reason, "CODE_EXPIRED", "time goes on although the clock is behind")


class FullDisk(unittest.TestCase):
    @yz.lite_only
    def test_full_disk(self):
        folder = os.path.join(yz.BUILD, "e2e", "small-" + secrets.token_hex(4))
        os.makedirs(folder)
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", folder], capture_output=True,
                           check=False)
        if r.returncode != 0:
            os.rmdir(folder)
            self.skipTest("mounting a small file system needs root (the store's own tests cover a full disk)")
        s = None
        try:
            s = yz.Server(folder=folder).prepare()
            lic = yz.issue(s, yz.Holder(), "居民身份证")
            ballast = os.path.join(folder, "ballast")
            with open(ballast, "wb"):
                pass
            reasons = self.fill_and_issue(s, ballast)
            self.assertIn("STORE_FULL", reasons)
            self.assertTrue(s.call("issuer-samr", "CatalogService.ListItems").items, "reads go on")
            os.remove(ballast)
            self.assertTrue(yz.issue(s, yz.Holder(), "居民身份证").id, "it goes on when there is space")
            self.assertEqual(s.call("issuer-samr", "LicenceService.Get", id=lic.id).licence.id, lic.id)
            s.stop()
            r = subprocess.run(["sqlite3", os.path.join(folder, "store.db"), "PRAGMA integrity_check"],
                               capture_output=True, text=True, check=True)
            self.assertEqual(r.stdout.strip(), "ok")
        finally:
            if s is not None:
                s.stop()
                yz.SERVERS.remove(s)
            subprocess.run(["umount", "-l", folder], check=False)
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def fill_and_issue(s, ballast):
        fd = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fd, b"\0" * 4096)
        except OSError:
            os.close(fd)
        reasons = []
        for _ in range(40):
            try:
                yz.issue(s, yz.Holder(), "居民身份证")
            except yz.Refused as e:
                reasons.append(e.reason)
                if e.reason == "STORE_FULL":
                    break
        return reasons
