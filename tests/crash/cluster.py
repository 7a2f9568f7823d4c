"""PostgreSQL under Patroni and etcd (Debian's packages), all on loopback: two machines with etcd, Patroni and PostgreSQL,
and a third with etcd alone. Who is the primary they settle among themselves."""
import json
import os
import random
import secrets
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pair
import yz

CONFIG = os.path.join(yz.ROOT, "share", "patroni", "patroni.yml")
PASSWORDS = {name: secrets.token_hex(12) for name in ("SUPER", "REPLICATION", "REWIND", "STORE")}
# A machine that many tests share is slow at times.
ETCD = ("--heartbeat-interval", "250", "--election-timeout", "2500", "--log-level", "warn")
TO_CHECK = 0.3  # s after the kill in which answers may still be under way


def local(port):
    return "http://127.0.0.1:%d" % port


class Machine:
    """Its processes are children of ours; PostgreSQL is Patroni's."""

    def __init__(self, name, database):
        self.name, self.home = name, pair.new_folder()
        self.client, self.peer, self.rest, self.port = (pair.free_port() for _ in range(4))
        self.database = database
        self.data = os.path.join(self.home, "data")
        self.processes = []

    def spawn(self, *cmd):
        with open(os.path.join(self.home, os.path.basename(cmd[0]) + ".log"), "ab") as log:
            self.processes.append(subprocess.Popen(
                cmd, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": self.home}, **pair.AS))

    def start_etcd(self, members):
        self.spawn("/usr/bin/etcd", "--name", self.name, "--data-dir", os.path.join(self.home, "etcd"),
                   "--listen-client-urls", local(self.client), "--advertise-client-urls", local(self.client),
                   "--listen-peer-urls", local(self.peer), "--initial-advertise-peer-urls", local(self.peer),
                   "--initial-cluster", ",".join("%s=%s" % (m.name, local(m.peer)) for m in members), *ETCD)

    def start_patroni(self, members):
        path = os.path.join(self.home, "patroni.yml")
        values = {"NAME": self.name, "HOST": "127.0.0.1", "REST_PORT": self.rest, "PORT": self.port, "DATA": self.data,
                  "ETCD_HOSTS": ",".join("127.0.0.1:%d" % m.client for m in members), "BIN": pair.bin_dir(),
                  "HOME": self.home, "NETWORK": "127.0.0.1/32", "WATCHDOG": "off"}
        values.update((name + "_PASSWORD", value) for name, value in PASSWORDS.items())
        with open(CONFIG, encoding="utf-8") as f:
            text = f.read()
        for name, value in values.items():
            text = text.replace("@%s@" % name, str(value))
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        self.spawn("/usr/bin/patroni", path)

    def start(self, members):
        self.start_etcd(members)
        if self.database:
            self.start_patroni(members)

    def sql(self, text, database="postgres"):
        return pair.psql(self.port, text, "postgres", database, PASSWORDS["SUPER"])

    def kill(self):
        """The whole machine at once."""
        pids = [pid for p in self.processes for pid in pair.family(p.pid)]
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as f:
                pids += pair.family(int(f.readline()))
        except FileNotFoundError:
            pass
        pair.kill_all(pids)
        for p in self.processes:
            p.wait()
        self.processes = []

    def stop(self):
        """In order: Patroni ends its PostgreSQL, then etcd."""
        for p in reversed(self.processes):
            p.terminate()
            pair.wait_for("%s ends" % self.name, lambda p=p: p.poll() is not None, 60)
        self.processes = []

    def remove(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Cluster:
    """`primary` answers; `replica` may take over."""

    NAME, LIMIT, PATIENCE = "failover-patroni", 40, 60

    def __init__(self):
        self.machines = [Machine("a", True), Machine("b", True), Machine("c", False)]
        self.nodes = self.machines[:2]
        self.primary = self.replica = self.dead = None

    @staticmethod
    def bury():
        """In place of an init that does it: Patroni takes an unburied PostgreSQL for a living one."""
        while True:
            pair.bury_databases()
            time.sleep(0.2)

    def begin(self):
        threading.Thread(target=self.bury, daemon=True).start()
        for m in self.machines:
            m.start(self.machines)
        self.settle()
        self.primary.sql("CREATE ROLE %s LOGIN PASSWORD '%s'" % (pair.USER, PASSWORDS["STORE"]))
        self.primary.sql("CREATE DATABASE %s OWNER %s" % (pair.DATABASE, pair.USER))
        # Where the database is unknown, libpq does not go on to the next server.
        pair.wait_for("the replica knows the database", lambda: self.replica.sql(
            "SELECT count(*) FROM pg_database WHERE datname = '%s'" % pair.DATABASE) == "1", 30)

    @property
    def url(self):
        hosts = ",".join("127.0.0.1:%d" % n.port for n in self.nodes)
        return "postgres://%s:%s@%s/%s?target_session_attrs=read-write" % (
            pair.USER, PASSWORDS["STORE"], hosts, pair.DATABASE)

    def roles(self, ask):
        """Machine by role, in the words of one machine's Patroni."""
        try:
            with urllib.request.urlopen(local(ask.rest) + "/cluster", timeout=3) as r:
                members = json.load(r)["members"]
        except (urllib.error.URLError, OSError, ValueError, KeyError):
            return {}
        by_name = {m.name: m for m in self.machines}
        return {m["role"]: by_name[m["name"]] for m in members if m["state"] in ("running", "streaming")}

    def settle(self):
        """Until there is a primary, and a replica that has everything and is waited for."""
        pair.wait_for("a leader and a synchronous replica", lambda: {"leader", "sync_standby"} <= set(
            self.roles(self.nodes[0])), 180)
        found = self.roles(self.nodes[0])
        self.primary, self.replica = found["leader"], found["sync_standby"]
        pair.wait_for("the replica has what there is", lambda: pair.has_all(self.primary), 30)

    def waits_for_replica(self):
        pair.wait_for_sync_commit(self.primary)

    def lose(self, machine):
        """When it was killed, and when no old answer was under way any more."""
        killed, self.dead = time.monotonic(), machine
        machine.kill()
        time.sleep(TO_CHECK)
        return killed, time.monotonic()

    def fail(self):
        """Nobody does anything. Also what there is to say."""
        heir = self.replica
        killed, over = self.lose(self.primary)
        pair.wait_for("the replica leads", lambda: self.roles(heir).get("leader") is heir, 60)
        return killed, over, "%s leads after %.1f s" % (heir.name, time.monotonic() - killed)

    def mend(self):
        """The machine starts again, and Patroni makes a replica of it."""
        time.sleep(random.uniform(0, 1))
        self.dead.start(self.machines)
        self.settle()

    def set_strict(self, strict):
        """What becomes of writes while there is no replica: they go on without (False), or wait (True)."""
        request = urllib.request.Request(local(self.primary.rest) + "/config", method="PATCH", data=json.dumps(
            {"synchronous_mode_strict": strict}).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as r:
            assert json.load(r)["synchronous_mode_strict"] is strict, "Patroni did not take the setting"
        time.sleep(6)  # loop_wait, until it is in force

    def keep_logs(self, folder):
        pair.keep_logs([m.home for m in self.machines], folder)

    def remove(self):
        for m in self.machines:  # etcd of the third is needed for ending in order
            m.remove()
