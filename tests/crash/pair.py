"""Two servers of PostgreSQL on private ports and folders: a primary, and a replica without which it commits nothing."""
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

USER = DATABASE = "yinzheng"
# PostgreSQL refuses to run as root.
AS = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}

CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
dynamic_shared_memory_type = mmap
max_wal_size = 1GB
synchronous_commit = on
wal_receiver_status_interval = 1
wal_retrieve_retry_interval = 500ms
"""


def bin_dir():
    versions = os.listdir("/usr/lib/postgresql")
    return "/usr/lib/postgresql/%s/bin" % max(versions, key=int)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def new_folder():
    """Of the user that the database runs as; in /tmp, because the way to ours may be closed to that user."""
    path = tempfile.mkdtemp(prefix="yzha.", dir="/tmp")
    if AS:
        entry = pwd.getpwnam("postgres")
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return path


def run(*cmd, env=None):
    r = subprocess.run(cmd, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
                       env=env, **AS)
    if r.returncode != 0:
        raise AssertionError("%s -> %d\n%s\n%s" % (" ".join(cmd), r.returncode, r.stdout, r.stderr))
    return r.stdout.strip()


def keep_logs(homes, folder):
    for home in homes:
        for name in os.listdir(home):
            if name.endswith("log"):
                shutil.copy(os.path.join(home, name), os.path.join(folder, "%s.%s" % (os.path.basename(home), name)))


def psql(port, text, user=USER, database="postgres", password=""):
    return run(os.path.join(bin_dir(), "psql"), "-qXAt", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", database,
               "-c", text, env=dict(os.environ, PGPASSWORD=password))


def family(pid):
    """The process and all that it started."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as f:
                parent = f.read().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(parent), []).append(int(name))
    out = [pid]
    for p in out:
        out += children.get(p, [])
    return out


def is_gone(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
            return fields[0] == "Z" and int(fields[17]) < 2  # its first thread may have ended before the others
    except (FileNotFoundError, ProcessLookupError):
        return True


def bury_databases():
    """Waits for servers of PostgreSQL that ended and have no parent but us; none that we started ourselves."""
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as f:
                name, _, rest = f.read().partition(") ")
            if name.endswith("(postgres") and rest.split()[:2] == ["Z", str(os.getpid())]:
                os.waitpid(pid, os.WNOHANG)
        except (FileNotFoundError, ProcessLookupError, ChildProcessError):
            continue


def kill_all(pids):
    """kill -9, until none of them runs. Where nobody waits for the dead they stay as zombies, which is as good."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    until = time.monotonic() + 10
    while not all(map(is_gone, pids)):
        assert time.monotonic() < until, "a process outlives kill -9"
        time.sleep(0.005)


def wait_for(what, true, seconds):
    until = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except AssertionError:
            pass  # the server is not there yet
        assert time.monotonic() < until, "not within %d s: %s" % (seconds, what)
        time.sleep(0.05)


def has_all(primary):
    """The one replica has on its disk what the primary has written."""
    return primary.sql("SELECT sync_state = 'sync' AND flush_lsn >= pg_current_wal_lsn() FROM pg_stat_replication") == "t"


def wait_for_sync_commit(primary):
    """Until a commit is seen that waits for the replica's word: before that, a new setting need not be in force."""
    wait_for("a commit waits for the replica", lambda: primary.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0", 30)


class Node:
    """One server of PostgreSQL; a child of ours."""

    def __init__(self, name):
        self.name, self.port, self.home = name, free_port(), new_folder()
        self.data, self.log = os.path.join(self.home, "data"), os.path.join(self.home, "log")
        self.process = None

    def sql(self, text):
        return psql(self.port, text)

    def make(self):
        run(os.path.join(bin_dir(), "initdb"), "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C",
            "--no-instructions")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as f:
            f.write(CONF)
        self.start()
        self.sql("CREATE DATABASE " + DATABASE)

    def start(self):
        with open(self.log, "ab") as log:
            # In a group of its own: what ends the trial at the keyboard ends it in order.
            self.process = subprocess.Popen([os.path.join(bin_dir(), "postgres"), "-D", self.data, "-p", str(self.port)],
                                            cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **AS)
        wait_for("%s answers" % self.name, lambda: self.sql("SELECT 1") == "1", 60)

    def copy_of(self, primary):
        """Becomes a replica of it, from nothing."""
        shutil.rmtree(self.data, ignore_errors=True)
        run(os.path.join(bin_dir(), "pg_basebackup"), "-D", self.data, "-R", "-X", "stream", "-c", "fast",
            "-d", "host=127.0.0.1 port=%d user=%s application_name=%s" % (primary.port, USER, self.name))
        self.start()

    def promote(self):
        run(os.path.join(bin_dir(), "pg_ctl"), "-D", self.data, "-w", "-t", "30", "promote")

    def kill(self):
        """As when the power fails: all of its processes at once, and its shared memory."""
        with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as f:
            shared = f.read().split("\n")[6].split()
        kill_all(family(self.process.pid))
        self.process.wait()
        run("ipcrm", "-m", shared[1])

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def remove(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Pair:
    """`primary` answers; `replica` has what it has acknowledged."""

    NAME, LIMIT, PATIENCE = "failover", 10, 20

    def __init__(self):
        self.nodes = [Node("a"), Node("b")]
        self.primary, self.replica = self.nodes

    def begin(self):
        self.primary.make()
        self.attach()

    @property
    def url(self):
        hosts = ",".join("127.0.0.1:%d" % n.port for n in self.nodes)
        return "postgres://%s@%s/%s?target_session_attrs=read-write" % (USER, hosts, DATABASE)

    def attach(self):
        """A new replica; from then on nothing is acknowledged that it has not on its disk."""
        a, b = self.primary, self.replica
        b.copy_of(a)
        a.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        a.sql("SELECT pg_reload_conf()")
        wait_for("the replica has what there is", lambda: has_all(a), 30)

    def waits_for_replica(self):
        wait_for_sync_commit(self.primary)

    def fail(self):
        """When it happened, when no old answer was under way any more, and what there is to say."""
        killed = time.monotonic()
        self.primary.kill()
        time.sleep(random.uniform(0.2, 2))
        over = time.monotonic()
        self.swap()
        return killed, over, "promotion asked for after %.2f s, done after %.2f s" % (
            over - killed, time.monotonic() - killed)

    def swap(self):
        """By hand: the replica takes over, alone for now. First it stops waiting for a replica of its own."""
        new = self.replica
        new.sql("ALTER SYSTEM RESET synchronous_standby_names")
        new.sql("SELECT pg_reload_conf()")
        new.promote()
        self.primary, self.replica = new, self.primary

    def mend(self):
        self.attach()

    def keep_logs(self, folder):
        keep_logs([n.home for n in self.nodes], folder)

    def remove(self):
        for n in self.nodes:
            n.remove()
