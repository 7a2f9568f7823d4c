#!/usr/bin/python3
"""Writes the seeds of tests/fuzz/fuzz_sm2.c from sm2_verify.json: make_sm2_seeds.py FOLDER"""
import json
import pathlib
import sys

from sm2_slow import DEFAULT_ID, digest

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
root = json.loads((pathlib.Path(__file__).parent / "sm2_verify.json").read_text())


def write(name, form, key, e, rest):
    (folder / name).write_bytes(bytes([form]) + key + e + rest)


for i, group in enumerate(root["testGroups"]):
    if group["type"] == "Sm2PublicKey" or (len(group["tests"]) < 5 and i % 6 != 0):
        continue
    point = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
    tests = group["tests"]
    step = 1 + len(tests) // (30 if group["type"] == "Sm2Verify" else 3 if len(tests) > 20 else 1)
    for t in tests[::step]:
        if group["type"] == "Sm2DigestVerify":
            e = bytes.fromhex(t["digest"])
        elif bytes.fromhex(group["identity"]) == DEFAULT_ID:
            e = digest((int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")), DEFAULT_ID, bytes.fromhex(t["msg"]))
        else:
            continue
        sig = bytes.fromhex(t["sig"])
        if len(sig) <= 100:
            write("case-%04d" % t["tcId"], 1, point, e, sig)
for d in (1, 2, 3, 256, 2**128, 2**248):
    key = d.to_bytes(32, "big") + bytes(32)
    for s, t in ((1, 1), (d, 1), (2**255, 3), (int("01" * 32, 16), int("01" * 32, 16))):
        write("sum-%x-%x-%x" % (d % 65521, s % 65521, t), 2, key, bytes(32), s.to_bytes(32, "big") + t.to_bytes(32, "big"))
