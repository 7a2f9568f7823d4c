"""What the trials of crashes and fail-overs share: clients that keep account of what they asked, and the judgement."""
import ctypes
import hashlib
import os
import random
import secrets
import subprocess
import threading
import time

import grpc
import yz

ITEM = "公积金提取"
AWAY = ("STORE_IO", "STORE_FULL", "STORE_BUSY", "STORE_UNSURE", "STORE_CHANGED", "OVERLOADED", "DEADLINE")


PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury():
    """Waits for what was killed and had no parent any more; not while subprocesses of ours run."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


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
    """One client that issues licences, changes their state, makes and uses codes.

    `patience` is for how many seconds it repeats a request, under the same request_id, when server or database are away;
    0: it goes on with the next request, and ends with its server."""

    def __init__(self, server, holder, ops, lock, patience=0):
        super().__init__()
        self.server, self.holder, self.ops, self.lock, self.patience = server, holder, ops, lock, patience
        self.channels = {}
        self.mine = []
        self.faults = 0    # refusals because of the store
        self.gone = False  # told to end
        self.last = None   # time of the last answer
        self.wrong = None  # what a patient client must not see

    def send(self, who, method, **fields):
        op = Op(who, method, self.server.request(who, method, **fields))
        with self.lock:
            self.ops.append(op)
        if who not in self.channels:
            self.channels[who] = self.server.new_channel(who, [("grpc.use_local_subchannel_pool", 1),
                                                               ("grpc.max_reconnect_backoff_ms", 500)])
        fn, _ = self.server.stub(who, method, self.channels[who])
        op.answer = patiently(lambda: fn(op.request, timeout=10), self.patience, self.count)
        self.last = time.monotonic()
        return op.answer

    def count(self, _):
        self.faults += 1

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
        seen = patiently(lambda: yz.preview(self.server, h, ITEM), self.patience)
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
                if self.patience:
                    if why.reason != "LICENCE_STATE":
                        self.wrong = why
                        break
                elif why.reason not in AWAY + ("LICENCE_STATE",):
                    break
                self.faults += why.reason.startswith("STORE_")
        for c in self.channels.values():
            c.close()


def patiently(fn, patience, count=None):
    """fn(), repeated while server or database are away, at most `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            return fn()
        except (grpc.RpcError, yz.Refused) as e:
            status, text = (e.status, e.text) if isinstance(e, yz.Refused) else (e.code(), e.details())
            # What gRPC's client says of a connection that ends as a call begins on it.
            removed = status == grpc.StatusCode.UNKNOWN and text == "Stream removed"
            if time.monotonic() > until or not removed and status not in (
                    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED):
                raise
            if count is not None:
                count(e)
            time.sleep(0.05)


def entries(server, start):
    """The log from `start` on; the entry of a reading is written after it was read."""
    out = []
    while True:
        page = patiently(lambda: server.call("audit", "AuditService.ListEntries", from_index=start, page_size=500), 15)
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
            again = patiently(lambda: server.send(op.who, op.method, op.request), 15)
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


