"""What an operator does with the store: copies, restores, checks, another master key; beside a serving daemon."""
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import unittest

import yz

ITEM = "公积金提取"


def daemon(s, *words):
    return subprocess.run([os.path.join(yz.BUILD, "yinzhengd"), words[0], "--config", os.path.join(s.dir, "yinzhengd.ini"),
                           *words[1:]], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def check(s):
    return daemon(s, "check", "--store")


class Check(unittest.TestCase):
    @yz.lite_only
    def test_every_damage_is_found(self):
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        h, _ = yz.person(s), yz.person(s)
        yz.pull(s, yz.use_code(s, h, ITEM), ITEM)
        r = check(s)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("faults=0", r.stderr)
        s.stop()
        store = os.path.join(s.dir, "store.db")
        with open(store, "rb") as f:
            good = f.read()
        damage = {
            "UPDATE licences SET state = 3": "licences",
            "UPDATE licences SET record = zeroblob(80)": "licences",
            "UPDATE licences SET id = (SELECT id FROM licences ORDER BY seq LIMIT 1) "
            "WHERE seq = (SELECT max(seq) FROM licences)": "licences",
            "DELETE FROM holders": "licences",
            "DELETE FROM events WHERE object LIKE 'licence/%'": "licences",
            "UPDATE seals SET der = zeroblob(99)": "seals",
            "UPDATE seals SET application = zeroblob(80)": "seals",
            "UPDATE codes SET body = zeroblob(80)": "codes",
            "UPDATE codes SET used_by = ''": "codes",
            "UPDATE receipts SET body = zeroblob(0)": "receipts",
            "UPDATE audit SET record = zeroblob(9) WHERE idx = 1": "audit",
            "UPDATE audit SET leaf = zeroblob(32) WHERE idx = 2": "audit",
            "DELETE FROM audit WHERE idx = 1": "audit",
        }
        for sql, table in damage.items():
            with open(store, "wb") as f:
                f.write(good)
            db = sqlite3.connect(store)
            db.execute("PRAGMA foreign_keys = OFF")
            self.assertGreater(db.execute(sql).rowcount, 0, sql)
            db.commit()
            db.close()
            r = check(s)
            self.assertEqual(r.returncode, 78, sql + "\n" + r.stderr)
            self.assertIn("table=" + table, r.stderr.replace('"', ""), sql)
            for value in (h.name, h.code):
                self.assertNotIn(value, r.stderr)


class MasterKey(unittest.TestCase):
    def key(self, s, suffix=""):
        with open(os.path.join(s.dir, "master.key" + suffix), encoding="ascii") as f:
            return f.read()

    def put(self, s, text, suffix=""):
        path = os.path.join(s.dir, "master.key" + suffix)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o600)

    def test_rotation(self):
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        h = yz.person(s)
        self.assertEqual(daemon(s, "rotate-key", "--finish").returncode, 78)
        old = self.key(s)
        r = daemon(s, "rotate-key")
        self.assertEqual(r.returncode, 0, r.stderr)
        new = self.key(s)
        self.assertNotEqual(old, new)
        for key in (old, new):
            self.assertNotIn(key.strip(), r.stderr)
        # The daemon goes on; one that starts anew takes either key.
        self.assertTrue(yz.pull(s, yz.use_code(s, h, ITEM), ITEM).receipt_id)
        r = daemon(s, "rotate-key")
        self.assertEqual((r.returncode, "ALREADY_EXISTS" in r.stderr), (78, True), r.stderr)
        self.assertEqual(self.key(s), new)
        self.put(s, old)
        self.assertEqual(check(s).returncode, 0)
        self.put(s, new)
        r = daemon(s, "rotate-key", "--finish")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.put(s, old)
        r = check(s)
        self.assertEqual((r.returncode, "MASTER_KEY_WRONG" in r.stderr), (78, True), r.stderr)
        self.put(s, new)
        s.stop()
        s.script("run")
        self.assertTrue(yz.pull(s, yz.use_code(s, h, ITEM), ITEM).receipt_id)
        actions = [e.action for e in s.call("audit", "AuditService.ListEntries", page_size=500).entries]
        self.assertEqual([a for a in actions if a.startswith("key.")], ["key.change", "key.finish"])

    def test_stopped_in_the_middle(self):
        """The store is wrapped by the new key, and the file was not replaced: repeated, it goes on."""
        s = yz.Server().prepare()
        self.addCleanup(s.remove)
        old = self.key(s)
        self.assertEqual(daemon(s, "rotate-key").returncode, 0)
        new = self.key(s)
        self.put(s, new, ".new")
        self.put(s, old)
        r = daemon(s, "rotate-key")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(self.key(s), new)
        self.assertFalse(os.path.exists(os.path.join(s.dir, "master.key.new")))
        self.assertEqual(daemon(s, "rotate-key", "--finish").returncode, 0)
        self.assertEqual(check(s).returncode, 0)


class Systemd(unittest.TestCase):
    """What the unit's Type=notify and WatchdogSec hear."""

    def test_told_at_every_turn(self):
        s = yz.Server(start="configure+init")
        self.addCleanup(s.remove)
        path = os.path.join(s.dir, "n")  # a socket's path is short
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = "\0yz-notify-" + secrets.token_hex(6)
        sock.bind(name)
        sock.settimeout(10)
        self.addCleanup(sock.close)
        p = subprocess.Popen([os.path.join(yz.BUILD, "yinzhengd"), "run", "--config",
                              os.path.join(s.dir, "yinzhengd.ini")], stdin=subprocess.DEVNULL,
                             stderr=open(path, "wb"), env=dict(os.environ, NOTIFY_SOCKET="@" + name[1:]))
        self.addCleanup(p.kill)

        def heard(word):
            while True:
                if word in sock.recv(4096).decode():
                    return

        heard("READY=1")
        heard("WATCHDOG=1")
        heard("WATCHDOG=1")
        p.send_signal(signal.SIGHUP)
        heard("RELOADING=1\nMONOTONIC_USEC=")
        heard("READY=1")
        p.send_signal(signal.SIGTERM)
        heard("STOPPING=1")
        self.assertEqual(p.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
