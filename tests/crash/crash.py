"""Kills the server, and with PostgreSQL the database in its turn, at random moments under load, and looks whether they
kept their word.

usage: (by run.sh) crash.py [ROUNDS]      (500; `make crash`; SEED repeats a run)
Every third round on SQLite runs on a disk that fails (io_fault.c): short writes, no space, errors of write and fsync.

After each kill the service comes back, and then
 - what was acknowledged is answered again under its request_id, with the same answer;
 - what was under way is asked for again, and done then or found done;
 - each of these has exactly one entry in the audit log, and no other entry exists;
 - the audit log's indexes are dense, and `yinzhengd check --store` finds nothing.
A store serves some rounds, so that a round's check stays short; the next store follows.
"""
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time

import pair
import work
import yz

ROUNDS_PER_STORE = 20
WORKERS = 6
POSTGRES = os.environ.get("STORE", "sqlite") == "postgres"
FAULTY = {"faults": 0, "rounds": 0}


def pgserver(verb):
    subprocess.run([os.path.join(yz.ROOT, "scripts", "pgserver.sh"), os.environ["YZ_PG_DIR"], verb], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def one_round(server, holder, start, number):
    ops, lock = [], threading.Lock()
    flag = os.path.join(server.dir, "faults")
    faulty = not POSTGRES and number % 3 == 2
    if faulty:
        with open(flag, "w", encoding="ascii"):
            pass
    clients = [work.Load(server, holder, ops, lock) for _ in range(WORKERS)]
    for c in clients:
        c.start()
    time.sleep(random.uniform(0.05, 0.6))
    database = POSTGRES and number % 2 == 1
    if database:  # the server lives, and finds its way back by itself
        pgserver("crash")
        pgserver("start")
    else:
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
    if not database:
        pair.wait_for("the end of the killed server", lambda: pair.is_gone(server.pid), 10)
        server.script("run")
    end = work.judge(server, ops, start)
    work.check_store(server)
    work.bury()
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
                start = work.audit_end(server)
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
