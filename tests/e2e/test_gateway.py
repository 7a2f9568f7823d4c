"""The gateway's listener: a real nginx in front, and whoever pretends to be one."""
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import grpc
import yz
from yinzheng.v1 import admin_pb2

LIST = "CatalogService.ListItems"
DENIED, UNAUTHENTICATED = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 128; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	server {{
		listen 127.0.0.1:{port} ssl http2;
		ssl_certificate {pki}/tls/server.crt;
		ssl_certificate_key {pki}/tls/server.key;
		ssl_client_certificate {pki}/tls/ca.crt;
		ssl_verify_client on;
		location / {{
			grpc_pass grpcs://127.0.0.1:{gateway};
			grpc_ssl_certificate {pki}/tls/gateway.crt;
			grpc_ssl_certificate_key {pki}/tls/gateway.key;
			grpc_ssl_trusted_certificate {pki}/tls/ca.crt;
			grpc_ssl_verify on;
			grpc_ssl_name localhost;
			grpc_set_header X-Client-Cert $ssl_client_escaped_cert;
		}}
	}}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cert(name):
    with open(os.path.join(yz.PKI, "tls", name + ".crt"), encoding="ascii") as f:
        return f.read()


def escaped(pem):
    return urllib.parse.quote(pem, safe="")


def channel_to(port, who):
    def read(name):
        with open(os.path.join(yz.PKI, "tls", name), "rb") as f:
            return f.read()
    if who is None:
        creds = grpc.ssl_channel_credentials(read("ca.crt"))
    else:
        creds = grpc.ssl_channel_credentials(read("ca.crt"), read(who + ".key"), read(who + ".crt"))
    return grpc.secure_channel("localhost:%d" % port, creds, options=[("grpc.use_local_subchannel_pool", 1)])


def enrol_gateway(s):
    """Whoever may speak for everybody is enrolled by two administrators."""
    der = subprocess.run(["openssl", "x509", "-in", os.path.join(yz.PKI, "tls", "gateway.crt"), "-pubkey", "-noout"],
                         check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], check=True, capture_output=True,
                         input=der).stdout
    key = admin_pb2.PrincipalKey(fingerprint=hashlib.sha256(der).digest())
    p = admin_pb2.Principal(id="gateway", name="网关", org_code=yz.DATA, org_name="云州市大数据管理局",
                            roles=["ROLE_GATEWAY"], keys=[key])
    first = s.call("security1", "AdminService.PutPrincipal", principal=p)
    assert first.pending, "one administrator alone must not enrol a gateway"
    assert not s.call("security2", "AdminService.PutPrincipal", principal=p).pending


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = yz.Server("[gateway]\nlisten = 127.0.0.1:0\n").prepare()
        enrol_gateway(cls.s)
        cls.port = int(re.findall(r"event=serving .*gateway=(\d+)", cls.s.log())[-1])

    @classmethod
    def tearDownClass(cls):
        cls.s.remove()

    def ask(self, port, who, headers=(), method=LIST):
        """A call over a connection of its own."""
        channel = channel_to(port, who)
        self.addCleanup(channel.close)
        fn, req = self.s.stub(who, method, channel)
        try:
            return fn(req(), timeout=10, metadata=list(headers))
        except grpc.RpcError as e:
            raise yz.Refused(e) from None

    def refused(self, reason, status, *args, **kw):
        with self.assertRaises(yz.Refused) as no:
            self.ask(*args, **kw)
        self.assertEqual((no.exception.reason, no.exception.status), (reason, status), str(no.exception))


class Forwarded(Case):
    def forward(self, value, who="gateway"):
        return self.ask(self.port, who, [("x-client-cert", value)])

    def forward_refused(self, reason, status, value, who="gateway"):
        self.refused(reason, status, self.port, who, [("x-client-cert", value)])

    def test_an_enrolled_client_is_served(self):
        for _ in range(3):
            self.assertTrue(self.forward(escaped(cert("window"))).items)

    def test_the_caller_is_the_client_and_not_the_gateway(self):
        self.refused("ROLE_MISSING", DENIED, self.port, "gateway", [("x-client-cert", escaped(cert("window")))],
                     "AdminService.ListPrincipals")
        seen = self.ask(self.port, "gateway", [("x-client-cert", escaped(cert("security1")))],
                        "AdminService.ListPrincipals")
        self.assertIn("window", [p.id for p in seen.principals])

    def test_a_header_on_the_ordinary_listener_is_refused(self):
        for who in ("window", "gateway", "stranger"):
            self.refused("FORWARDED_REFUSED", DENIED, self.s.port, who,
                         [("x-client-cert", escaped(cert("security1")))])
        self.assertTrue(self.ask(self.s.port, "window").items)

    def test_only_a_gateway_forwards(self):
        self.forward_refused("FORWARDED_REFUSED", DENIED, escaped(cert("window2")), who="window")
        self.forward_refused("FORWARDED_REFUSED", DENIED, escaped(cert("window")), who="security1")
        self.forward_refused("PRINCIPAL_UNKNOWN", UNAUTHENTICATED, escaped(cert("window")), who="stranger")

    def test_nobody_is_served_for_himself_on_the_gateways_listener(self):
        self.refused("FORWARDED_INVALID", UNAUTHENTICATED, self.port, "gateway")
        self.refused("FORWARDED_REFUSED", DENIED, self.port, "window")

    def test_a_gateway_does_not_forward_a_gateway(self):
        self.forward_refused("FORWARDED_REFUSED", DENIED, escaped(cert("gateway")))

    def test_not_enrolled(self):
        self.forward_refused("PRINCIPAL_UNKNOWN", UNAUTHENTICATED, escaped(cert("stranger")))

    def test_expired(self):
        self.forward_refused("PRINCIPAL_EXPIRED", UNAUTHENTICATED, escaped(cert("expired")))

    def test_not_below_client_ca(self):
        """The window's name and a key of one's own, signed by oneself; and a certificate of another tree."""
        with tempfile.TemporaryDirectory() as d:
            out = os.path.join(d, "self.crt")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", os.path.join(d, "self.key"), "-out", out, "-subj", "/CN=window", "-days", "30"],
                           check=True, capture_output=True)
            with open(out, encoding="ascii") as f:
                self.forward_refused("FORWARDED_INVALID", UNAUTHENTICATED, escaped(f.read()))
        with open(os.path.join(yz.PKI, "sm2", "samr.crt"), encoding="ascii") as f:
            self.forward_refused("FORWARDED_INVALID", UNAUTHENTICATED, escaped(f.read()))

    def test_malformed(self):
        good = escaped(cert("window"))
        for bad in ("x", "%", "%2", "%GG", "-----BEGIN%20CERTIFICATE-----", good[:400], good[:-9] + "%", good + "%4",
                    good.replace("%0A", "%00", 3), good + good, cert("window").replace("\n", " ").strip(),
                    good.replace("MII", "MIJ", 1)):
            self.forward_refused("FORWARDED_INVALID", UNAUTHENTICATED, bad)

    def test_two_certificates(self):
        both = [("x-client-cert", escaped(cert("window"))), ("x-client-cert", escaped(cert("window2")))]
        self.refused("FORWARDED_INVALID", UNAUTHENTICATED, self.port, "gateway", both)
        self.forward_refused("FORWARDED_INVALID", UNAUTHENTICATED, escaped(cert("window") + cert("window2")))

    def test_oversized(self):
        self.forward_refused("FORWARDED_INVALID", UNAUTHENTICATED, "A" * 6500)
        with self.assertRaises(yz.Refused) as no:  # more than gRPC takes of headers at all
            self.forward("A" * 30000)
        self.assertEqual(no.exception.status, grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_a_disabled_client_is_out_at_once(self):
        self.assertTrue(self.forward(escaped(cert("window2"))).items)
        self.s.call("security1", "AdminService.DisablePrincipal", id="window2", reason="测试")
        self.forward_refused("PRINCIPAL_DISABLED", UNAUTHENTICATED, escaped(cert("window2")))


@unittest.skipUnless(shutil.which("nginx") or os.path.exists("/usr/sbin/nginx"), "nginx is not installed")
class Nginx(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dir = tempfile.mkdtemp(prefix="nginx-", dir=os.path.join(yz.BUILD, "e2e"))
        cls.front = free_port()
        with open(os.path.join(cls.dir, "nginx.conf"), "w", encoding="utf-8") as f:
            f.write(NGINX.format(dir=cls.dir, port=cls.front, pki=yz.PKI, gateway=cls.port))
        cls.nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-e",
                                      os.path.join(cls.dir, "start.log"), "-c", os.path.join(cls.dir, "nginx.conf")],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", cls.front), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("nginx does not start")

    @classmethod
    def tearDownClass(cls):
        cls.nginx.terminate()
        cls.nginx.wait(20)
        shutil.rmtree(cls.dir, ignore_errors=True)
        super().tearDownClass()

    def test_calls_pass(self):
        for who in ("window", "wallet", "security1"):
            self.assertTrue(self.ask(self.front, who).items)

    def test_the_client_is_who_it_is(self):
        self.assertTrue(self.ask(self.front, "security1", method="AdminService.ListPrincipals").principals)
        self.refused("ROLE_MISSING", DENIED, self.front, "window", (), "AdminService.ListPrincipals")
        self.refused("PRINCIPAL_UNKNOWN", UNAUTHENTICATED, self.front, "stranger")

    def test_a_forged_header_is_replaced(self):
        forged = [("x-client-cert", escaped(cert("security1")))]
        self.refused("ROLE_MISSING", DENIED, self.front, "window", forged, "AdminService.ListPrincipals")

    def test_whom_nginx_does_not_let_in(self):
        for who in (None, "expired"):
            with self.assertRaises(yz.Refused):
                self.ask(self.front, who)

    def test_a_whole_use(self):
        h = yz.person(self.s)
        channel = channel_to(self.front, "window")
        self.addCleanup(channel.close)
        code = yz.use_code(self.s, h, "公积金提取")
        fn, _ = self.s.stub("window", "WindowService.Pull", channel)
        req = self.s.request("window", "WindowService.Pull", code=code, item_code=yz.code_of("公积金提取"),
                             case_number="C", purpose="P")
        self.assertTrue(fn(req, timeout=20).receipt_id)
        self.assertTrue(fn(req, timeout=20).replayed)
