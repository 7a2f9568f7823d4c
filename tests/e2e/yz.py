"""The harness: a server of its own, an independent client, the catalogue's samples, fictional people."""
import datetime
import importlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import unittest

import grpc
from google.protobuf import symbol_database
from yinzheng.v1 import common_pb2

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ["YZ_BUILD"]
POSTGRES = os.environ.get("STORE") == "postgres"
# For tests of what only an SQLite store is: a file.
lite_only = unittest.skipIf(POSTGRES, "of a store in a file")
PKI = os.path.join(ROOT, "build", "pki")
TRUST = os.path.join(PKI, "trust")
for name in ("seal", "verification", "catalog", "licence", "showcode", "window", "inspection", "audit", "admin"):
    importlib.import_module("yinzheng.v1.%s_pb2" % name)
POOL = symbol_database.Default()

SAMR, MNR, HRSS = "11990100MB00001073", "11990100MB0000203C", "11990100MB000030XJ"
CENTRE, DATA = "11990100MB00004061", "11990100MB0000502A"

with open(os.path.join(ROOT, "share", "catalogue", "sample.json"), encoding="utf-8") as f:
    CATALOGUE = json.load(f)


def code_of(name):
    return next(x["code"] for x in CATALOGUE["types"] + CATALOGUE["items"] if x["name"] == name)


def type_of(name):
    return next(x for x in CATALOGUE["types"] if x["name"] == name)


def item_of(name):
    return next(x for x in CATALOGUE["items"] if x["name"] == name)


def resident_id(birth=None, serial=None):
    """A fictional person's number: region 990101 does not exist. Of so many that no two tests meet the same person."""
    birth = birth or "19%02d%02d%02d" % (50 + secrets.randbelow(50), 1 + secrets.randbelow(12), 1 + secrets.randbelow(28))
    body = "990101" + birth + (serial or "%03d" % secrets.randbelow(1000))
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights)) % 11]


def credit_code():
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = "91990100" + "".join(secrets.choice(alphabet) for _ in range(9))
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def rfc3339(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


class Refused(Exception):
    """A refused call: gRPC status, stable reason, field and help."""

    def __init__(self, e):
        self.status = e.code()
        self.text = e.details()
        self.reason = self.field = self.help = ""
        self.trailers = {k: v for k, v in (e.trailing_metadata() or ())}
        raw = self.trailers.get("grpc-status-details-bin")
        if raw:
            status = common_pb2.Status.FromString(raw)
            assert status.code == e.code().value[0], "status in the details differs"
            assert status.details[0].type_url == "type.googleapis.com/yinzheng.v1.Refusal"
            refusal = common_pb2.Refusal.FromString(status.details[0].value)
            self.reason, self.field, self.help = refusal.reason, refusal.field, refusal.help
        super().__init__("%s %s %s: %s" % (self.status, self.reason, self.field, self.help or self.text))


SERVERS = []


def stop_all():
    """Stops what still runs; how many did not end well."""
    bad = 0
    for s in SERVERS:
        try:
            s.stop()
        except (AssertionError, RuntimeError) as e:
            print(e)
            bad += 1
    return bad


class Server:
    """One running yinzhengd with its own store. `extra` is added to the configuration."""

    def __init__(self, extra="", start="start", folder=None):
        os.makedirs(os.path.join(BUILD, "e2e"), exist_ok=True)
        self.dir = folder or tempfile.mkdtemp(prefix="s-", dir=os.path.join(BUILD, "e2e"))
        if extra:
            with open(os.path.join(self.dir, "extra.ini"), "w", encoding="utf-8") as out:
                out.write(extra)
        SERVERS.append(self)
        self.channels = {}
        for verb in start.split("+"):
            self.script(verb)

    def beside(self, extra=""):
        """Another server on the same PostgreSQL store."""
        folder = tempfile.mkdtemp(prefix="s-", dir=os.path.join(BUILD, "e2e"))
        for name in ("store.url", "master.key", "initialised", "enrolled"):
            shutil.copy(os.path.join(self.dir, name), folder)
        return Server(extra, folder=folder)

    def script(self, verb):
        # The server inherits none of our pipes: it outlives the script.
        with open(os.path.join(self.dir, "script.log"), "a+", encoding="utf-8") as log:
            r = subprocess.run([os.path.join(ROOT, "scripts", "devserver.sh"), BUILD, self.dir, verb], stdout=log,
                               stderr=log, stdin=subprocess.DEVNULL, check=False)
            if r.returncode != 0:
                log.seek(0)
                raise RuntimeError("devserver.sh %s failed:\n%s" % (verb, log.read()[-3000:]))

    @property
    def port(self):
        with open(os.path.join(self.dir, "port"), encoding="ascii") as f:
            return int(f.read())

    @property
    def pid(self):
        with open(os.path.join(self.dir, "pid"), encoding="ascii") as f:
            return int(f.read())

    def log(self):
        with open(os.path.join(self.dir, "server.log"), encoding="utf-8") as f:
            return f.read()

    def stop(self):
        self.close()
        self.script("stop")
        # A sanitizer's complaint, also the one about leaks at the end, is a failure.
        for word in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:"):
            if os.path.exists(os.path.join(self.dir, "server.log")) and word in self.log():
                raise AssertionError("the server's log has a sanitizer report:\n" + self.log()[-6000:])

    def close(self):
        for c in self.channels.values():
            c.close()
        self.channels = {}

    def remove(self):
        self.stop()
        SERVERS.remove(self)
        shutil.rmtree(self.dir, ignore_errors=True)

    def new_channel(self, who, options=()):
        def read(name):
            with open(os.path.join(PKI, "tls", name), "rb") as f:
                return f.read()
        if who is None:
            creds = grpc.ssl_channel_credentials(read("ca.crt"))
        else:
            creds = grpc.ssl_channel_credentials(read("ca.crt"), read(who + ".key"), read(who + ".crt"))
        return grpc.secure_channel("localhost:%d" % self.port, creds, options=list(options))

    def channel(self, who):
        if who not in self.channels:
            # A subchannel of its own: connections are otherwise shared by target.
            self.channels[who] = self.new_channel(who, [("grpc.use_local_subchannel_pool", 1)])
        return self.channels[who]

    @staticmethod
    def classes(method):
        """The request's and the reply's class."""
        service, name = method.split(".")
        desc = POOL.pool.FindServiceByName("yinzheng.v1." + service).FindMethodByName(name)
        return POOL.GetPrototype(desc.input_type), POOL.GetPrototype(desc.output_type)

    def stub(self, who, method, channel=None):
        """("window", "WindowService.Pull") -> callable and the request class."""
        service, name = method.split(".")
        req, rep = self.classes(method)
        fn = (channel or self.channel(who)).unary_unary("/yinzheng.v1.%s/%s" % (service, name),
                                                        request_serializer=lambda m: m if isinstance(m, bytes)
                                                        else m.SerializeToString(),
                                                        response_deserializer=rep.FromString)
        return fn, req

    def request(self, who, method, **fields):
        cls = self.classes(method)[0]
        names = cls.DESCRIPTOR.fields_by_name
        if "request_id" in names:
            fields.setdefault("request_id", secrets.token_bytes(16))
        if "operator" in names:
            fields.setdefault("operator", common_pb2.Operator(id=who + "-01", name="测试员", terminal="终端1"))
        return cls(**{k: v for k, v in fields.items() if v is not None})

    def send(self, who, method, request, timeout=20):
        fn, _ = self.stub(who, method)
        try:
            return fn(request, timeout=timeout)
        except grpc.RpcError as e:
            raise Refused(e) from None

    def settle(self):
        """Until every audit entry has its number (PostgreSQL: within a second; seconds when a server was killed)."""
        until = time.monotonic() + 10
        while POSTGRES and self.sql("SELECT count(*) FROM audit_inbox") != "0":
            if time.monotonic() > until:
                raise AssertionError("audit entries were not numbered within ten seconds")
            time.sleep(0.02)

    def sql(self, text):
        """What the store's PostgreSQL says, past the server."""
        with open(os.path.join(self.dir, "store.url"), encoding="ascii") as f:
            return run(["psql", "-qXAt", "-d", f.read().strip(), "-c", text]).stdout.strip()

    def call(self, who, method, timeout=20, **fields):
        if method == "AuditService.ListEntries":
            self.settle()
        return self.send(who, method, self.request(who, method, **fields), timeout)

    # ---- the domain ----

    def load_catalogue(self):
        self.cli("catalog", "load", os.path.join(ROOT, "share", "catalogue", "sample.json"), who="system")

    def make_seal(self, owner=SAMR, signer="samr", name="云州市市场监督管理局"):
        der = subprocess.run(["openssl", "x509", "-in", os.path.join(PKI, "sm2", signer + ".crt"), "-outform", "DER"],
                             check=True, capture_output=True).stdout
        return self.call("sealer", "SealService.CreateSeal", name=name, owner_code=owner, type=1, certificates=[der],
                         valid_end=rfc3339(now() + datetime.timedelta(days=900)), application="SQ-2026-001",
                         approver="审批员").seal

    def prepare(self):
        """Catalogue and the agencies' seals."""
        self.load_catalogue()
        self.seal = self.make_seal()
        return self

    def cli(self, *args, who=None, ok=True, stdin=None, text=True):
        if args[0] == "audit":
            self.settle()
        cmd = [os.path.join(BUILD, "yinzheng"), *args]
        if who:
            cmd += ["--config", os.path.join(self.dir, "client.ini"), "--profile", who]
        return run(cmd, ok=ok, stdin=stdin, text=text)


def run(cmd, ok=True, stdin=None, text=True, env=None):
    r = subprocess.run(cmd, input=stdin, capture_output=True, text=text, check=False, timeout=60,
                       stdin=subprocess.DEVNULL if stdin is None else None, env=env)
    if ok and r.returncode != 0:
        raise AssertionError("%s -> %d\n%s\n%s" % (" ".join(cmd), r.returncode, r.stdout, r.stderr))
    return r


def cli(*args, ok=True, stdin=None, env=None):
    return run([os.path.join(BUILD, "yinzheng"), *args], ok=ok, stdin=stdin, env=env)


SHARED_SERVER = []


def shared():
    """One prepared server for all tests that do not break theirs."""
    if not SHARED_SERVER:
        SHARED_SERVER.append(Server().prepare())
    return SHARED_SERVER[0]


# ---- fictional people and papers ----

from yinzheng.v1 import licence_pb2, showcode_pb2, window_pb2  # noqa: E402  (after the harness they serve)

SAMPLE_VALUE = {"text": "虚构的值", "date": "2020-05-01", "integer": "12", "decimal": "88.5"}


class Holder:
    def __init__(self, name="张小满", organisation=False):
        self.name = name
        self.code_type = "001" if organisation else "111"
        self.code = credit_code() if organisation else resident_id()

    def message(self):
        return common_pb2.Holder(name=self.name, code_type=self.code_type, code=self.code)

    def value(self, field):
        kind = field["kind"]
        if kind == "resident_id":
            return self.code if self.code_type == "111" else resident_id()
        if kind == "credit_code":
            return self.code if self.code_type == "001" else credit_code()
        if kind == "choice":
            return field["choices"][0]
        return SAMPLE_VALUE[kind]

    def fields(self, type_name, **changed):
        out = {f["name"]: self.value(f) for f in type_of(type_name)["fields"]}
        out.update(changed)
        return [common_pb2.Field(name=k, value=v) for k, v in out.items() if v is not None]

    def presenter(self, **changed):
        """The holder in person; for an organisation its legal representative."""
        organisation = self.code_type == "001"
        auth = common_pb2.Authentication(method="face", level=3, time=rfc3339(now()), reference="ID-%s" %
                                         secrets.token_hex(4))
        values = dict(name="李代表" if organisation else self.name, code_type="111",
                      code=resident_id() if organisation else self.code,
                      capacity="CAPACITY_LEGAL_REPRESENTATIVE" if organisation else "CAPACITY_SELF",
                      authentication=auth)
        values.update(changed)
        return common_pb2.Presenter(**values)


def issue(server, holder, type_name, who="issuer-samr", **fields):
    values = dict(type_code=code_of(type_name), number="BH" + secrets.token_hex(6).upper(),
                  holders=[holder.message()], fields=holder.fields(type_name))
    values.update(fields)
    return server.call(who, "LicenceService.Issue", **values).licence


def person(server):
    """A holder with an identity card."""
    h = Holder()
    issue(server, h, "居民身份证")
    return h


def preview(server, holder, item_name, **fields):
    return server.call("wallet", "ShowCodeService.ListHolderLicences", holder=holder.message(),
                       presenter=holder.presenter(), item_code=code_of(item_name), **fields)


def use_code(server, holder, item_name, audience=None, **fields):
    seen = preview(server, holder, item_name)
    values = dict(holder=holder.message(), presenter=holder.presenter(), kind="CODE_KIND_USE",
                  audience=audience or showcode_pb2.Audience(kind="AUDIENCE_KIND_WINDOWS"), purpose="办理" + item_name,
                  item_code=code_of(item_name), preview_digest=seen.preview_digest)
    values.update(fields)
    return server.call("wallet", "ShowCodeService.IssueCode", **values).code


def show_code(server, holder, licences, audience=None, **fields):
    show = [showcode_pb2.ShowSelection(licence_id=x) for x in licences]
    values = dict(holder=holder.message(), presenter=holder.presenter(), kind="CODE_KIND_SHOW", show=show,
                  audience=audience or showcode_pb2.Audience(kind="AUDIENCE_KIND_INSPECTORS"), purpose="接受检查")
    values.update(fields)
    return server.call("wallet", "ShowCodeService.IssueCode", **values).code


def pull(server, code, item_name, who="window", **fields):
    values = dict(code=code, item_code=code_of(item_name), case_number="BJ-2026-0001", purpose="办理" + item_name)
    values.update(fields)
    return server.call(who, "WindowService.Pull", **values)
