"""Kills the server, and the database in its turn, at random moments under load, and looks whether it kept its word.

usage: crash.py [ROUNDS]      (500; by `make crash`)
Every third round on SQLite runs on a disk that fails (io_fault.c): short writes, no space, errors of write and fsync.

After each kill the server starts anew, and then
 - what was acknowledged is answered again under its request_id, with the same answer;
 - what was under way is asked for again, and done then or found done;
 - each of these has exactly one entry in the audit log, and no other entry exists;
 - the audit log's indexes are dense, and `yinzhengd check --store` finds nothing.
A store serves some rounds, so that a round's check stays short; the next store follows.
"""
import hashlib
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time

import grpc
import yz

ITEM = "公积金提取"
ROUNDS_PER_STORE = 20
WORKERS = 6
POSTGRES = os.environ.get("STORE", "sqlite").startswith("postgres")


class Op:
    """One request that changes something: what was sent, and the answer if one came."""

    def __init__(self, who, method, request):
        self.who, self.method, self.request = who, method, request
        raw = request.SerializeToString()
        service, name = method.split(".")
        text = "/yinzheng.v1.%s/%s" % (service, name)
        self.digest = hashlib.new("sm3", text.encode() + b"\0" + raw).digest()
        self.answer = None


class Load(threading.Thread):
    """One client that issues licences, changes their state, makes and uses codes, until its server is gone."""

    def __init__(self, server, holder, ops, lock):
        super().__init__()
        self.server, self.holder, self.ops, self.lock = server, holder, ops, lock
        self.channels = {}
        self.mine = []
        self.faults = 0
        self.gone = False

    def send(self, who, method, **fields):
        op = Op(who, method, self.server.request(who, method, **fields))
        with self.lock:
            self.ops.append(op)
        if who not in self.channels:
            self.channels[who] = self.server.new_channel(who, [("grpc.use_local_subchannel_pool", 1)])
        fn, _ = self.server.stub(who, method, self.channels[who])
        op.answer = fn(op.request, timeout=10)
        return op.answer

    def issue(self):
        h = yz.Holder()
        lic = self.send("issuer-samr", "LicenceService.Issue", type_code=yz.code_of("居民身份证"),
                        number="BH" + secrets.token_hex(8).upper(), holders=[h.message()],
                        fields=h.fields("居民身份证")).licence
        self.mine.append([lic.id, "LICENCE_STATE_VALID"])

    def status(self):
        if not self.mine:
            return
        entry = random.choice(self.mine)
        entry[1] = "LICENCE_STATE_SUSPENDED" if entry[1] == "LICENCE_STATE_VALID" else "LICENCE_STATE_VALID"
        self.send("issuer-samr", "LicenceService.ChangeStatus", id=entry[0], state=entry[1], reason="演练")

    def use(self):
        h = self.holder
        seen = yz.preview(self.server, h, ITEM)
        code = self.send("wallet", "ShowCodeService.IssueCode", holder=h.message(), presenter=h.presenter(),
                         kind="CODE_KIND_USE", audience=yz.showcode_pb2.Audience(kind="AUDIENCE_KIND_WINDOWS"),
                         purpose="办理", item_code=yz.code_of(ITEM), preview_digest=seen.preview_digest,
                         life_seconds=300).code
        self.send("window", "WindowService.Pull", code=code, item_code=yz.code_of(ITEM), case_number=secrets.token_hex(8),
                  purpose="办理")

    def run(self):
        while not self.gone:
            try:
                random.choice((self.issue, self.status, self.use, self.use))()
            except (grpc.RpcError, yz.Refused) as e:
                why = e if isinstance(e, yz.Refused) else yz.Refused(e)
                if why.reason not in ("STORE_IO", "STORE_FULL", "LICENCE_STATE", "STORE_CHANGED"):
                    break
                self.faults += why.reason.startswith("STORE_")
        for c in self.channels.values():
            c.close()


def entries(server, start):
    """The log from `start` on; the entry of a reading is written after it was read."""
    out = []
    while True:
        page = server.call("audit", "AuditService.ListEntries", from_index=start, page_size=500)
        out += page.entries
        if page.next_index == 0:
            return out
        start = page.next_index


def settled(server, start, ops):
    """The log once every entry has its number: on PostgreSQL that comes after the commit."""
    until = time.monotonic() + 10
    while True:
        log = entries(server, start)
        found = sum(any(op.digest in e.record for e in log) for op in ops)
        if found == len(ops) or time.monotonic() > until:
            return log


def judge(server, ops, start):
    for op in ops:
        # What was under way when the server died is asked for again; a change of state may be in the way of another.
        try:
            again = server.send(op.who, op.method, op.request)
        except yz.Refused as e:
            if op.answer is None and e.reason in ("LICENCE_STATE", "CODE_EXPIRED"):
                op.digest = None
                continue
            raise AssertionError("asked again, %s says %s" % (op.method, e)) from e
        if op.answer is not None:
            assert again.replayed, "%s was acknowledged, and done again" % op.method
            op.answer.replayed = again.replayed
            op.answer.ClearField("receipt") if op.method == "WindowService.Pull" else None
            again.ClearField("receipt") if op.method == "WindowService.Pull" else None
            assert again == op.answer, "%s is answered otherwise:\n%s\n%s" % (op.method, op.answer, again)
    ops = [op for op in ops if op.digest is not None]
    log = settled(server, start, ops)
    for i, e in enumerate(log):
        assert e.index == start + i, "audit index %d where %d should be" % (e.index, start + i)
    for op in ops:
        n = sum(op.digest in e.record for e in log)
        assert n == 1, "%s has %d entries" % (op.method, n)
    known = {op.digest for op in ops}
    extra = [e for e in log if e.action in ("licence.issue", "licence.status", "code.issue", "pull")
             and not any(d in e.record for d in known)]
    assert not extra, "an entry of something that was refused or never asked: %s" % extra[0]
    return start + len(log)


def check_store(server):
    r = subprocess.run([os.path.join(yz.BUILD, "yinzhengd"), "check", "--config",
                        os.path.join(server.dir, "yinzhengd.ini"), "--store"], capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stderr


def audit_end(server):
    log = entries(server, 0)
    return log[-1].index + 1 if log else 0


FAULTY = {"faults": 0, "rounds": 0}


def one_round(server, holder, start, number):
    ops, lock = [], threading.Lock()
    flag = os.path.join(server.dir, "faults")
    faulty = not POSTGRES and number % 3 == 2
    if faulty:
        with open(flag, "w", encoding="ascii"):
            pass
    clients = [Load(server, holder, ops, lock) for _ in range(WORKERS)]
    for c in clients:
        c.start()
    time.sleep(random.uniform(0.05, 0.6))
    database = POSTGRES and number % 2 == 1
    if database:
        server.script("kill-database")
        server.script("start-database")
    else:
        os.kill(server.pid, signal.SIGKILL)
    if database:  # the server lives, and comes back by itself
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGKILL)
    for c in clients:
        c.gone = True
    for c in clients:
        c.join()
        FAULTY["faults"] += c.faults
    server.close()
    if faulty:
        FAULTY["rounds"] += 1
        os.unlink(flag)
    server.script("run")
    end = judge(server, ops, start)
    check_store(server)
    return end, sum(op.answer is not None for op in ops), len(ops)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(os.environ.get("SEED", secrets.randbelow(1 << 31)))
    random.seed(seed)
    print("crash: %d rounds on %s, seed %d" % (rounds, "PostgreSQL" if POSTGRES else "SQLite", seed), flush=True)
    began, acknowledged, sent, server = time.monotonic(), 0, 0, None
    try:
        for i in range(rounds):
            if i % ROUNDS_PER_STORE == 0:
                if server is not None:
                    server.remove()
                server = yz.Server(start="configure")
                if not POSTGRES:
                    os.environ.update(YZ_FAULT_DIR=server.dir, YZ_FAULT_ONE_IN="40",
                                      LD_PRELOAD=os.path.join(yz.BUILD, "io_fault.so"))
                server.script("start")
                server.prepare()
                holder = yz.person(server)
                start = audit_end(server)
            start, ok, n = one_round(server, holder, start, i)
            acknowledged, sent = acknowledged + ok, sent + n
            if (i + 1) % 10 == 0 or i + 1 == rounds:
                print("  %d of %d rounds, %d requests, %d acknowledged, %.0f s" % (
                    i + 1, rounds, sent, acknowledged, time.monotonic() - began), flush=True)
    except AssertionError as e:
        print("crash: FAILED in round %d (seed %d), server in %s\n%s" % (i + 1, seed, server.dir, e))
        os.kill(server.pid, signal.SIGTERM)
        sys.exit(1)
    finally:
        if sys.exc_info()[0] is None or sys.exc_info()[0] is not SystemExit:
            yz.stop_all()
    if not POSTGRES:
        print("  %d rounds with a failing disk, %d requests refused for it" % (FAULTY["rounds"], FAULTY["faults"]))
        assert FAULTY["faults"] > 0 or rounds < 10, "the failing disk did not fail"
    print("crash: %d kills, %d requests, %d acknowledged, nothing lost, nothing twice" % (rounds, sent, acknowledged))


main()
