"""Kills the primary under load, lets the synchronous replica take over, and looks whether anything was lost.

usage: (by run.sh) failover.py [ROUNDS [hand|patroni]]      (20, hand; `make failover`; SEED repeats the moments)

In each round clients issue licences, change their state, make and use codes, through one yinzhengd that knows both
database servers by one address. The primary is killed at a random moment, and the replica takes over: promoted by hand up
to two seconds later (pair.py), or by Patroni (cluster.py). Then
 - every client gets on with its requests, having seen nothing but "try again": within 10 s of the kill, under Patroni 40,
   each has had another write acknowledged;
 - what was acknowledged is answered again with the same answer, each request has exactly one entry in the audit log, whose
   indexes are dense, and `yinzhengd check --store` finds nothing.
The killed server comes back as the new replica: from a new base backup, or as Patroni does it. Under Patroni the
replica's machine is killed at the end, too, in both ways of going on without it.
"""
import os
import random
import secrets
import sys
import tempfile
import threading
import time

os.environ["STORE"] = "postgres"

import cluster  # noqa: E402
import pair  # noqa: E402
import work  # noqa: E402
import yz  # noqa: E402

WORKERS = 6
WAITING = 12  # seconds without the replica's machine
HOW = {"hand": pair.Pair, "patroni": cluster.Cluster}


class Client(work.Load):
    """Knows when its writes were acknowledged."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.times = []

    def send(self, *args, **fields):
        answer = super().send(*args, **fields)
        self.times.append(self.last)
        return answer

    def run(self):
        try:
            super().run()
        except Exception as e:  # pylint: disable=broad-except; whoever looks at `wrong` judges it
            self.wrong = e

    def first_after(self, moment):
        return next((t for t in self.times if t > moment), None)


def start_load(server, holder, ops, patience):
    lock = threading.Lock()
    clients = [Client(server, holder, ops, lock, patience=patience) for _ in range(WORKERS)]
    for c in clients:
        c.start()
    pair.wait_for("every client has got something done", lambda: all(c.times or c.wrong for c in clients), 30)
    return clients


def end_load(clients, over, patience):
    """When each was back, at the latest when their patience is at its end; they go on for a moment before they end."""
    until = time.monotonic() + patience + 5
    while not all(c.first_after(over) or c.wrong for c in clients) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.5)
    for c in clients:
        c.gone = True
    for c in clients:
        c.join()
    for c in clients:
        assert c.wrong is None, "a client saw %s" % c.wrong
    return [c.first_after(over) for c in clients]


def back_after(clients, killed, over, p):
    """Seconds from the kill to each client's next acknowledged write. Answers that were under way when the database
    died are not counted: `over` is later than these."""
    back = end_load(clients, over, p.PATIENCE)
    assert None not in back, "%d clients were not served any more" % back.count(None)
    times = sorted(t - killed for t in back)
    assert times[-1] <= p.LIMIT, "service was back after %.1f s" % times[-1]
    return times


def judged(server, ops, start):
    end = work.judge(server, ops, start)
    work.check_store(server)
    work.bury()
    return end


def one_round(p, server, holder, start):
    ops = []
    clients = start_load(server, holder, ops, p.PATIENCE)
    p.waits_for_replica()
    time.sleep(random.uniform(0, 1))
    killed, over, words = p.fail()
    times = back_after(clients, killed, over, p)
    end = judged(server, ops, start)
    p.mend()
    return end, ops, clients, times, words


def without_replica(p, server, holder, start, strict):
    """The replica's machine dies instead. By synchronous_mode_strict writes go on without it, or wait for it."""
    ops = []
    p.set_strict(strict)
    clients = start_load(server, holder, ops, p.PATIENCE)
    p.waits_for_replica()
    killed, over = p.lose(p.replica)
    if strict:
        time.sleep(WAITING)
        done = [t for c in clients for t in c.times if t > over]
        assert not done, "%d writes were acknowledged without a replica" % len(done)
        p.mend()
    times = back_after(clients, killed, over, p)
    end = judged(server, ops, start)
    if not strict:
        p.mend()
    print("  replica killed, synchronous_mode_strict %s: clients served again after %.2f to %.2f s%s" % (
        str(strict).lower(), times[0], times[-1], ", its machine was back after %d s" % WAITING if strict else ""),
          flush=True)
    return end


def new_server(url):
    folder = tempfile.mkdtemp(prefix="s-", dir=os.path.join(yz.BUILD, "e2e"))
    with open(os.path.join(folder, "store.url"), "w", encoding="ascii") as f:
        f.write(url)
    return yz.Server(folder=folder).prepare()


def middle(values):
    values = sorted(values)
    return values[len(values) // 2]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    how = HOW[sys.argv[2] if len(sys.argv) > 2 else "hand"]
    seed = int(os.environ.get("SEED", secrets.randbelow(1 << 31)))
    random.seed(seed)
    print("%s: %d rounds, %d clients, seed %d" % (how.NAME, rounds, WORKERS, seed), flush=True)
    p, server, i, sent, acknowledged, repeated, worst = how(), None, 0, 0, 0, 0, []
    try:
        p.begin()
        server = new_server(p.url)
        holder = yz.person(server)
        start = work.audit_end(server)
        for i in range(1, rounds + 1):
            start, ops, clients, times, words = one_round(p, server, holder, start)
            sent, acknowledged = sent + len(ops), acknowledged + sum(op.answer is not None for op in ops)
            repeated += sum(c.faults for c in clients)
            worst.append(times[-1])
            print("  round %2d: %s; clients served again after %.2f to %.2f s; %d requests" % (
                i, words, times[0], times[-1], len(ops)), flush=True)
        for strict in (False, True) if how is cluster.Cluster else ():
            start = without_replica(p, server, holder, start, strict)
        server.remove()
    except AssertionError as e:
        p.keep_logs(yz.BUILD)
        print("%s: FAILED in round %d (seed %d), server in %s, the databases' logs in %s\n%s" % (
            how.NAME, i, seed, server and server.dir, yz.BUILD, e))
        sys.exit(1)
    finally:
        yz.stop_all()
        p.remove()
    print("%s: %d rounds, %d requests, %d acknowledged, %d times a client was told to try again; nothing lost,"
          " nothing twice; service back within %.2f s (median of the slowest client %.2f s)" % (
              how.NAME, rounds, sent, acknowledged, repeated, max(worst), middle(worst)))


if __name__ == "__main__":
    main()
