"""Two servers on one PostgreSQL; clients race to redeem each of many show-codes: every code is used exactly once.
usage: (by run.sh) main.py [CODES [CLIENTS]]"""
import collections
import concurrent.futures
import sys
import threading
import time

import grpc
import yz

ITEM = "公积金提取"
PULL = "WindowService.Pull"
CODES = int(sys.argv[1]) if len(sys.argv) > 1 else 500
CLIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 64


def make_codes(server):
    holders = [yz.person(server) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda i: yz.use_code(server, holders[i % 8], ITEM, life_seconds=300), range(CODES)))


class Client(threading.Thread):
    """Tries every code, each at the same moment as all others. A reply that is lost is asked for again with the same id."""

    def __init__(self, server, codes, barrier):
        super().__init__(daemon=True)
        self.server, self.codes, self.barrier = server, codes, barrier
        self.channel = server.new_channel("window", [("grpc.use_local_subchannel_pool", 1)])
        self.won, self.answers = [], collections.Counter()

    def try_code(self, fn, code):
        request = self.server.request("window", PULL, code=code, item_code=yz.code_of(ITEM), case_number=code, purpose="P")
        for _ in range(20):
            try:
                self.won.append((code, fn(request, timeout=20).receipt_id))
                return "OK"
            except grpc.RpcError as e:
                refused = yz.Refused(e)
                if e.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
                    return refused.reason or str(e.code())
                self.answers["again: " + (refused.reason or str(e.code()))] += 1
                time.sleep(0.05)
        return "given up"

    def run(self):
        fn, _ = self.server.stub("window", PULL, self.channel)
        for code in self.codes:
            self.barrier.wait()
            self.answers[self.try_code(fn, code)] += 1
        self.channel.close()


def entries(server):
    """Case numbers of the pulls in the audit log, and whether its indexes are dense."""
    cases, at, expected, dense = collections.Counter(), 0, 0, True
    while True:
        page = server.call("audit", "AuditService.ListEntries", from_index=at, page_size=500)
        for e in page.entries:
            dense = dense and e.index == expected
            expected += 1
            cases.update(v.value for v in e.values if e.action == "pull" and v.name == "case")
        at = page.next_index
        if at == 0:
            return cases, dense


def main():
    a = yz.Server().prepare()
    b = a.beside()
    codes = make_codes(a)
    barrier = threading.Barrier(CLIENTS)
    clients = [Client((a, b)[i % 2], codes, barrier) for i in range(CLIENTS)]
    began = time.monotonic()
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    took = time.monotonic() - began
    won = collections.Counter(code for c in clients for code, _ in c.won)
    servers = [sum(len(c.won) for c in clients[i::2]) for i in (0, 1)]
    answers = sum((c.answers for c in clients), collections.Counter())
    cases, dense = entries(b)
    print("race: %d codes, %d clients on 2 servers, %d attempts in %.1f s" % (CODES, CLIENTS, CODES * CLIENTS, took))
    print("race: %d successes (%d and %d by server), answers %s" % (sum(won.values()), *servers, dict(answers)))
    bad = []
    if sum(won.values()) != CODES or set(won) != set(codes):
        bad.append("every code must be redeemed exactly once")
    if answers["OK"] + answers["CODE_USED"] != CODES * CLIENTS:
        bad.append("every other attempt must be told CODE_USED")
    if any(cases[c] != 1 for c in codes):
        bad.append("every use must have exactly one audit entry")
    if not dense:
        bad.append("the audit log must have no gap")
    for s in (b, a):
        s.remove()
    for text in bad:
        print("race: FAILED, " + text)
    print("race: " + ("failed" if bad else "passed"))
    return 1 if bad else 0


RC = 1
try:
    RC = main()
finally:
    yz.stop_all()
sys.exit(RC)
