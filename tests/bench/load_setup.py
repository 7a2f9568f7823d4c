"""What the load benchmarks need on a trial server: seals with pictures of a stated size, people with licences, signed
data, the wallet's requests."""
import concurrent.futures
import hashlib
import json
import os
import struct
import zlib

import yz
from yinzheng.v1 import licence_pb2  # noqa: F401  (registers the messages)

SIGNATURES = 200
ITEM = "公积金提取"  # three licences of two agencies
ITEM_ONE = "灵活就业参保"  # one that everybody has, and others that not everybody has
ONE = ["居民身份证"]
AGENCY = {"不动产权证书": "issuer-mnr", "建筑工程施工许可证": "issuer-mnr"}


def png(size):
    """A picture of noise that takes just about `size` bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = max(1, (size - 80) // 97)
    body = b"".join(b"\0" + os.urandom(96) for _ in range(rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, rows, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(body, 0)) + chunk(b"IEND", b""))


def make_seal(server, owner, signer, name, size):
    return server.call("sealer", "SealService.CreateSeal", name=name, owner_code=owner, type=1, picture_png=png(size),
                       certificates=[certificate(signer)], valid_end=yz.rfc3339(yz.now() + yz.datetime.timedelta(days=900)),
                       application="SQ-BENCH", approver="审批员").seal


def certificate(name):
    return yz.subprocess.run(["openssl", "x509", "-in", os.path.join(yz.PKI, "sm2", name + ".crt"), "-outform", "DER"],
                             check=True, capture_output=True).stdout


def signature(server, seal, who, path, octets):
    """PATH.sig over PATH.dat, by this seal."""
    data = os.urandom(octets)
    r = server.call(who, "SealService.Sign", seal_id=seal.id, digest=hashlib.new("sm3", data).digest(),
                    property_info="bench.dat", purpose="测量")
    for end, content in ((".dat", data), (".sig", r.signature)):
        with open(path + end, "wb") as f:
            f.write(content)


def signatures(server, seal, who, folder, n=SIGNATURES, octets=1000):
    """Documents come once each: a known signer, and a signature that was not seen before (as far as n goes)."""
    os.makedirs(folder)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: signature(server, seal, who, os.path.join(folder, "%04d" % i), octets), range(n)))


def types_of(item):
    codes = [m["type_code"] for m in yz.item_of(item)["materials"]]
    return [t["name"] for t in yz.CATALOGUE["types"] if t["code"] in codes]


def person(server, serial, types):
    h = yz.Holder("测%05d" % serial)
    h.code = yz.resident_id(birth="19%02d%02d%02d" % (50 + serial // 28 // 12 % 50, 1 + serial // 28 % 12, 1 + serial % 28),
                            serial="%03d" % (serial // 16800 % 1000))
    h.ids = {}
    for name in types:
        h.ids[name] = yz.issue(server, h, name, who=AGENCY.get(name, "issuer-samr")).id
    return h


def people(server, first, n, types):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda i: person(server, first + i, types), range(n)))


def code_request(h, kind, item=ITEM):
    presenter = {"name": h.name, "code_type": "111", "code": h.code, "capacity": "self",
                 "authentication": {"method": "face", "level": 3, "time": "", "reference": "bench"}}
    more = {"audience": {"kind": "windows"}, "item_code": yz.code_of(item)} if kind == "use" else \
        {"audience": {"kind": "inspectors"}, "show": [{"licence_id": h.ids["居民身份证"]}]}
    return {"kind": kind, "holder": {"name": h.name, "code_type": "111", "code": h.code}, "presenter": presenter,
            "purpose": "测量", "life_seconds": 300, **more}


def prepare(server, holders):
    """Everything; the files stand in the server's folder. The 16 kB seal comes last, so that no licence is under it."""
    server.load_catalogue()
    small = make_seal(server, yz.SAMR, "samr", "云州市市场监督管理局", 2000)
    make_seal(server, yz.MNR, "mnr", "云州市自然资源和规划局", 2000)
    crowd = people(server, 0, holders, types_of(ITEM))
    with_one = people(server, holders, holders, ONE)
    big = make_seal(server, yz.SAMR, "samr", "云州市市场监督管理局（大）", 16000)
    signatures(server, small, "issuer-samr", os.path.join(server.dir, "2k"))
    signatures(server, big, "issuer-samr", os.path.join(server.dir, "16k"))
    for name, requests in (("use", [code_request(h, "use") for h in crowd]),
                           ("use_one", [code_request(h, "use", ITEM_ONE) for h in with_one]),
                           ("show", [code_request(h, "show") for h in crowd]),
                           ("codes", [code_request(h, kind) for h in crowd for kind in ("use", "show")])):
        with open(os.path.join(server.dir, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(requests, f, ensure_ascii=False)
    return crowd
