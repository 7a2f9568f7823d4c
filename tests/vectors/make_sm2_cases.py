#!/usr/bin/python3
"""Writes sm2_verify.json: cases for SM2 verifiers, each with its reason (README.md says what the fields mean).

    make_sm2_cases.py > sm2_verify.json

Every verdict is stated by the case and computed by sm2_slow.py; they must agree or nothing is written. What looks
random comes from SHA-256 of a label, so two runs write the same bytes.
"""
import hashlib
import json
import sys

import sm2_cases_der
import sm2_cases_key
import sm2_cases_sums
from sm2_cases import *  # noqa: F401,F403

# ---- messages ------------------------------------------------------------------------------------
def sign(d, ident, msg, rng):
    e = int.from_bytes(digest(mul(d, G), ident, msg), "big")
    return sign_digest(d, e, rng.below(N))


def published_example():
    d = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
    k = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
    g = MessageGroup("the standard's example", mul(d, G))
    msg = b"message digest"
    r, s = sign_digest(d, int.from_bytes(digest(g.pub, g.ident, msg), "big"), k)
    assert r == 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
    assert s == 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
    g.add("the published signature", ["PublishedExample"], "valid", msg, der_sig(r, s))
    for bad in (b"", b"message digesT", b"message digest\x00", b"message diges", msg * 2):
        g.add("another message: %r" % bad, ["ModifiedMessage"], "invalid", bad, der_sig(r, s))
    for bit in range(0, 256, 15):
        g.add("bit %d of r flipped" % bit, ["ModifiedSignature"], "invalid", msg, der_sig(r ^ 1 << bit, s))
        g.add("bit %d of s flipped" % bit, ["ModifiedSignature"], "invalid", msg, der_sig(r, s ^ 1 << bit))
    for comment, r2, s2 in (
        ("r and s exchanged", s, r),
        ("n - s: SM2 signatures are not malleable like ECDSA's", r, N - s),
        ("n - r", N - r, s),
        ("n - r and n - s", N - r, N - s),
        ("r + 1", r + 1, s),
        ("s - 1", r, s - 1),
    ):
        g.add(comment, ["ModifiedSignature"], "invalid", msg, der_sig(r2, s2))
    range_cases(g, msg, r, s)
    other_schemes(g, d, k, msg)
    for comment, flag, sig in sm2_cases_der.malformed(r, s):
        g.add(comment, [flag], "invalid", msg, sig)
    return [g]


def range_cases(g, msg, r, s):
    edges = [("0", 0), ("1", 1), ("-1", -1), ("n - 1", N - 1), ("n", N), ("n + 1", N + 1), ("p - 1", P - 1)]
    edges += [("p", P), ("p + 1", P + 1), ("p - n", P - N), ("2^256 - 1", 2**256 - 1), ("2^256", 2**256)]
    edges += [("2^255", 2**255), ("-n", -N), ("2n", 2 * N), ("2^264", 2**264), ("-2^255", -(2**255))]
    for name_r, v in edges:
        g.add("r is %s" % name_r, ["RangeCheck"], "invalid", msg, der_sig(v, s))
        g.add("s is %s" % name_r, ["RangeCheck"], "invalid", msg, der_sig(r, v))
        for name_s, w in edges[:6] + edges[10:11]:
            g.add("r is %s and s is %s" % (name_r, name_s), ["RangeCheck"], "invalid", msg, der_sig(v, w))
    for name, v, w in (("r + n", r + N, s), ("s + n", r, s + N), ("r - n", r - N, s), ("s - n", r, s - N)):
        g.add(name + ": right modulo n", ["RangeCheck"], "invalid", msg, der_sig(v, w))
    g.add("s is n - r", ["SumIsZero"], "invalid", msg, der_sig(r, N - r))
    g.add("r is n - s", ["SumIsZero"], "invalid", msg, der_sig(N - s, s))
    g.add("s is n - r + 1", ["EdgeScalar"], "invalid", msg, der_sig(r, N - r + 1))
    g.add("s is n - r - 1", ["EdgeScalar"], "invalid", msg, der_sig(r, N - r - 1))


def other_schemes(g, d, k, msg):
    x1 = mul(k, G)[0]
    for comment, data in (
        ("signed SM3(M), without Z", sm3(msg)),
        ("signed SM3(SM3(M))", sm3(sm3(msg))),
        ("signed SM3(Z), without M", sm3(z_value(g.pub, g.ident))),
        ("signed SM3(M || Z)", sm3(msg + z_value(g.pub, g.ident))),
        ("signed SM3(Z || SM3(M))", sm3(z_value(g.pub, g.ident) + sm3(msg))),
        ("signed SHA-256(Z || M)", hashlib.sha256(z_value(g.pub, g.ident) + msg).digest()),
        ("Z of another key", digest(mul(d + 1, G), g.ident, msg)),
        ("Z with the coordinates exchanged", digest((g.pub[1], g.pub[0]), g.ident, msg)),
        ("the digest byte-reversed", digest(g.pub, g.ident, msg)[::-1]),
    ):
        r, s = sign_digest(d, int.from_bytes(data, "big"), k)
        g.add(comment, ["WrongDigest"], "invalid", msg, der_sig(r, s))
    e = int.from_bytes(digest(g.pub, g.ident, msg), "big")
    r = (e + x1) % N
    ecdsa = pow(k, -1, N) * (e + x1 * d) % N
    g.add("ECDSA over the right digest", ["OtherScheme"], "invalid", msg, der_sig(x1 % N, ecdsa))
    g.add("r without e", ["OtherScheme"], "invalid", msg, der_sig(x1 % N, pow(1 + d, -1, N) * (k - x1 * d) % N))
    g.add("s without (1 + d)^-1", ["OtherScheme"], "invalid", msg, der_sig(r, (k - r * d) % N))
    g.add("s with d^-1", ["OtherScheme"], "invalid", msg, der_sig(r, pow(d, -1, N) * (k - r * d) % N))
    g.add("s with k + rd", ["OtherScheme"], "invalid", msg, der_sig(r, pow(1 + d, -1, N) * (k + r * d) % N))


def ordinary():
    """Several keys, messages of many lengths around SM3's blocks (Z takes 32 bytes of the first)."""
    groups = []
    for i in range(4):
        rng = Stream("ordinary %d" % i)
        d = rng.below(N - 1)
        g = MessageGroup("random key %d" % (i + 1), mul(d, G))
        lengths = ((0, 1, 22, 23, 24), (31, 32, 33, 55), (56, 86, 87, 88, 96), (119, 255, 1000, 4096))[i]
        for n in lengths:
            msg = rng.bytes(n)
            r, s = sign(d, DEFAULT_ID, msg, rng)
            g.add("message of %d bytes" % n, ["Ordinary"], "valid", msg, der_sig(r, s))
            if n:
                changed = bytes([msg[0] ^ 1]) + msg[1:]
                g.add("first bit of the message flipped", ["ModifiedMessage"], "invalid", changed, der_sig(r, s))
                g.add("message one byte short", ["ModifiedMessage"], "invalid", msg[:-1], der_sig(r, s))
        other = rng.below(N - 1)
        e = int.from_bytes(digest(g.pub, DEFAULT_ID, b"m"), "big")
        g.add("signed by another key", ["WrongKey"], "invalid", b"m", der_sig(*sign_digest(other, e, rng.below(N))))
        r, s = sign_digest(N - d, e, rng.below(N))
        g.add("signed by the negative key", ["WrongKey"], "invalid", b"m", der_sig(r, s))
        groups.append(g)
    return groups + [short_integers()]


def short_integers():
    """Signatures whose r or s is shorter than 32 bytes: honest ones, found by trying messages."""
    rng = Stream("short")
    d = rng.below(N - 1)
    pub = mul(d, G)
    g = MessageGroup("signatures with short integers", pub)
    k = rng.below(N)
    x1 = mul(k, G)[0]
    z = z_value(pub, DEFAULT_ID)
    wanted = {"r": 2, "s": 2}
    for i in range(100000):
        msg = b"try %d" % i
        e = int.from_bytes(sm3(z + msg), "big")
        r = (e + x1) % N
        s = pow(1 + d, -1, N) * (k - r * d) % N
        for name, v in (("r", r), ("s", s)):
            if v >> 248 == 0 and wanted[name]:
                wanted[name] -= 1
                g.add("%s has %d bits" % (name, v.bit_length()), ["Ordinary"], "valid", msg, der_sig(r, s))
        if not any(wanted.values()):
            break
    return g


def identities():
    rng = Stream("identities")
    d = rng.below(N - 1)
    pub = mul(d, G)
    idents = [
        ("the default identity", DEFAULT_ID),
        ("the empty identity (OpenSSL 3's default)", b""),
        ("the standard's other example", b"ALICE123@YAHOO.COM"),
        ("RFC 8998", b"TLSv1.3+GM+Cipher+Suite"),
        ("one digit more", DEFAULT_ID + b"9"),
        ("one digit less", DEFAULT_ID[:-1]),
        ("with a NUL behind", DEFAULT_ID + b"\0"),
        ("one NUL", b"\0"),
        ("non-ASCII, UTF-8", "印证电子印章".encode()),
        ("every byte value", bytes(range(256))),
        ("31 bytes: length in bits below 256", b"a" * 31),
        ("32 bytes: length in bits is 256", b"a" * 32),
        ("the longest that OpenSSL takes", b"i" * 8190),
    ]
    groups, sigs = [], {}
    for name, ident in idents:
        sigs[ident] = der_sig(*sign(d, ident, b"identity", rng))
    for name, ident in idents:
        g = MessageGroup("identity: " + name, pub, ident)
        g.add("its own identity", ["Ordinary"], "valid", b"identity", sigs[ident])
        for other_name, other in idents:
            if other != ident and (len(ident) < 8190 or other in (b"", DEFAULT_ID)):
                g.add("signed under: " + other_name, ["WrongIdentity"], "invalid", b"identity", sigs[other])
        groups.append(g)
    moved = MessageGroup("identity: bytes moved into it from the message", pub, DEFAULT_ID + b"ident")
    moved.add("identity and message joined are the same", ["WrongIdentity"], "invalid", b"ity", sigs[DEFAULT_ID])
    longest = MessageGroup("identity: the longest that the standard allows", pub, b"i" * 8191)
    sig = der_sig(*sign(d, longest.ident, b"identity", rng))
    longest.add("8191 bytes", ["LongIdentity"], "acceptable", b"identity", sig)
    wrapped = MessageGroup("identity: too long", pub, b"i" * 8192)
    sig = der_sig(*sign(d, wrapped.ident, b"identity", rng))
    wrapped.add("8192 bytes, signed with the length wrapped to 0", ["LongIdentity"], "invalid", b"identity", sig)
    return groups + [moved, longest, wrapped]


# ---- chosen digests ------------------------------------------------------------------------------
def edge_scalars():
    out = [("1", 1), ("2", 2), ("3", 3), ("n - 1", N - 1), ("n - 2", N - 2), ("n - 3", N - 3)]
    out += [("(n - 1)/2", (N - 1) // 2), ("(n + 1)/2", (N + 1) // 2), ("p - n", P - N), ("2^256 - n", 2**256 - N)]
    for bit in (4, 5, 7, 8, 9, 16, 31, 32, 52, 63, 64, 65, 104, 127, 128, 156, 191, 192, 208, 224, 247, 248, 255):
        out.append(("2^%d" % bit, 1 << bit))
        out.append(("2^%d - 1" % bit, (1 << bit) - 1))
    out += [("ones every 8 bits", int("01" * 32, 16)), ("bit 7 of every byte", int("80" * 31, 16))]
    out += [("alternate bits", int("55" * 32, 16)), ("alternate bytes", int("00ff" * 16, 16))]
    out += [("the low half of n", N % 2**128), ("the high half of n", N >> 128 << 128)]
    return out


def scalars_at_edges():
    rng = Stream("edge scalars")
    g = DigestGroup("edge scalars", mul(rng.below(N), G))
    edges = edge_scalars()
    for name, v in edges:
        w = rng.below(N)
        g.add_scalars("s is " + name, ["EdgeScalar"], v, w)
        g.add_scalars("t is " + name, ["EdgeScalar"], w, v)
        g.add_scalars("r is " + name, ["EdgeScalar"], w, v + w)
        g.add_scalars("s is n minus " + name, ["EdgeScalar"], N - v, w)
        g.add_scalars("t is n minus " + name, ["EdgeScalar"], w, N - v)
    for i, (name, v) in enumerate(edges):
        other, w = edges[(7 * i + 3) % len(edges)]
        g.add_scalars("s is %s, t is %s" % (name, other), ["EdgeScalar"], v, w)
    for k in list(range(1, 65)):
        g.add_scalars("t is %d, s is n - %d" % (k, k + 1), ["EdgeScalar"], N - k - 1, k)
        g.add_scalars("t is n - %d, s is %d" % (k, k + 1), ["EdgeScalar"], k + 1, N - k)
    return [g]


def sums_at_zero():
    """t = 0: then sG alone decides, and digest = r - x(sG) makes the equation hold."""
    rng = Stream("sum is zero")
    g = DigestGroup("r + s at n", mul(rng.below(N), G))
    for s in (1, 2, rng.below(N), N - 1, N // 2, N // 2 + 1):
        r = N - s
        g.add("t is 0, the rest of the equation holds", ["SumIsZero"], "invalid", (r - mul(s, G)[0]) % N, r, s)
        g.add("t is 0, the digest is r", ["SumIsZero"], "invalid", r, r, s)
        g.add_scalars("r + s is n + 1", ["EdgeScalar"], s, 1)
        g.add_scalars("r + s is n - 1", ["EdgeScalar"], s, N - 1)
    return [g]


def digests():
    """e is 256 bits of hash: 0, around n, and both e and e + n where two digests fit."""
    rng = Stream("digests")
    d = rng.below(N - 1)
    g = DigestGroup("edge digests", mul(d, G))
    edges = [("0", 0), ("1", 1), ("n - 1", N - 1), ("n", N), ("n + 1", N + 1), ("p - 1", P - 1), ("p", P)]
    edges += [("p + 1", P + 1), ("2^256 - 1", 2**256 - 1), ("2^255", 2**255), ("2^256 - n - 1", 2**256 - N - 1)]
    edges += [("2^256 - n", 2**256 - N), ("2^32 - 1", 2**32 - 1), ("2n - 2^256", 2 * N - 2**256)]
    for name, e in edges:
        r, s = sign_digest(d, e, rng.below(N))
        g.add("the digest is " + name, ["EdgeDigest"], "valid", e, r, s)
        g.add("the digest is not " + name, ["WrongDigest"], "invalid", e ^ 1, r, s)
        if e + N < 2**256:
            g.add("the digest is %s + n" % name, ["EdgeDigest"], "valid", e + N, r, s)
        if e >= N:
            g.add("the digest is %s - n" % name, ["EdgeDigest"], "valid", e - N, r, s)
    for gap in (0, 1, 2, -1):  # e + x1 = n + gap before the reduction
        k = rng.below(N)
        x1 = mul(k, G)[0]
        e = (N + gap - x1) % N
        r = (e + x1) % N
        s = pow(1 + d, -1, N) * (k - r * d) % N
        name = "e + x1 is n %+d" % gap
        if r == 0:
            g.add(name + ": r is 0", ["RangeCheck"], "invalid", e, 0, s)
            g.add(name + ": r is n", ["RangeCheck"], "invalid", e, N, s)
        else:
            g.add(name, ["EdgeDigest"], "valid", e, r, s)
    return [g]


def digests_above_n():
    """e >= n and r so small that r - e is below -n: e is reduced once before, not only by adding n to the difference."""
    groups = []
    for i, e in enumerate((2**256 - 1, P, N + 2**200)):
        r = 1
        while lift((r - e) % N) is None:
            r += 1
        point = lift((r - e) % N)
        rng = Stream("above %d" % i)
        s = rng.below(N)
        g = DigestGroup("digest above n, small r", mul(pow(r + s, -1, N), add(point, neg(mul(s, G)))))
        g.add("r is %d, the digest is 0x%x" % (r, e), ["EdgeDigest", "EdgeScalar"], "valid", e, r, s)
        g.add("the digest is off by 1", ["WrongDigest"], "invalid", e - 1, r, s)
        groups.append(g)
    return groups


def chosen_point(name, point, comment, flags, label):
    """A key for which sG + tP is this point, whose logarithm nobody knows: P = (point - sG)/t."""
    rng = Stream(label)
    s, t = rng.below(N), rng.below(N)
    g = DigestGroup(name, mul(pow(t, -1, N), add(point, neg(mul(s, G)))))
    g.add_scalars(comment, flags, s, t, point)
    return g, s, t


def x_above_n():
    """x1 from n to p - 1 (2^-128 of all points) and its neighbour below, where the other candidate is wrong."""
    groups = []
    count = 0
    for start, step in ((N, 1), (P - 1, -1), ((N + P) // 2, 1)):
        x = start
        for _ in range(3):
            while lift(x) is None:
                x += step
            count += 1
            point = lift(x) if count % 2 else neg(lift(x))
            g, s, t = chosen_point("x1 = n + 0x%x" % (x - N), point, "r = e + x1 - n", ["XNotReduced"], "x %d" % count)
            r = (t - s) % N
            e = (r - x) % N
            g.add("the digest does not fit", ["WrongDigest"], "invalid", e ^ 1, r, s)
            g.add("r - e is x1 - n in the field of p", ["FieldComparison"], "invalid", (r - x + P) % N, r, s)
            groups.append(g)
            x += step
    for x in small_x(3):
        comment = "x1 is below p - n: the first candidate fits"
        g, s, t = chosen_point("x1 = 0x%x" % x, lift(x), comment, ["SpecialPoint"], "low %d" % x)
        r = (t - s) % N
        g.add("r - e is x1 + p - n: + n wraps around p", ["FieldComparison"], "invalid", (r - x - P + N) % N, r, s)
        groups.append(g)
    rng = Stream("field comparison")
    g = DigestGroup("r - e + n wraps around p", mul(rng.below(N), G))
    for _ in range(6):
        s, t = rng.below(N), rng.below(N)
        x = add(mul(s, G), mul(t, g.pub))[0]
        for comment, wrong in (("x1 + p - n", x + P - N), ("x1 - p", x - P), ("x1 + p", x + P), ("-x1", -x)):
            r = (t - s) % N
            g.add("r - e is " + comment, ["FieldComparison"], "invalid", (r - wrong) % N, r, s)
    return groups + [g]


def small_x(count):
    out, x = [], 0
    while len(out) < count:
        if lift(x) is not None:
            out.append(x)
        x += 1
    return out


def limb_patterns():
    ones, zero = 0xFFFFFFFFFFFFFFFF, 0
    rows = [(ones, zero, zero, zero), (zero, ones, zero, zero), (zero, zero, ones, zero), (zero, zero, zero, 2**63 - 1)]
    rows += [(zero, ones, ones, ones - 2**32 - 1), (ones, ones, 0xFFFFFFFF, 1), (1, 0, 0, 2**63), (ones, 0, ones, 0)]
    rows += [(0, 2**63, 2**63, 2**63), (ones, 0xFFFFFFFF00000000, ones, 0xFFFFFFFEFFFFFFFF), (2**32,) * 4]
    values = [sum(limb << 64 * i for i, limb in enumerate(row)) for row in rows]
    r52 = [(2**52 - 1) << shift for shift in (0, 52, 104, 156)] + [(2**48 - 1) << 208, 1 << 208, (1 << 208) - 1]
    return [v for v in values + r52 if v < P] + [1, P - 1, P - 2, (P - 1) // 2, P >> 1 << 1]


def patterned_points():
    """Points with a patterned x in plain form and in both Montgomery forms (the next x that is on the curve)."""
    for form, scale in (("plain", 1), ("R = 2^256", 2**256), ("R = 2^260", 2**260)):
        for v in limb_patterns():
            while True:
                x = v * pow(scale, -1, P) % P
                if lift(x) is not None:
                    break
                v = (v + 1) % P
            yield "x is 0x%064x (%s)" % (v, form), lift(x)
    for x in small_x(2) + [P - 3, P - 4, P - 5]:
        if lift(x) is not None:
            yield "x is 0x%x" % x, lift(x)


def limbs():
    groups = []
    for i, (name, point) in enumerate(patterned_points()):
        point = point if i % 3 else neg(point)
        rng = Stream("limb %d" % i)
        g = DigestGroup("key: " + name, point)
        g.add_scalars("random scalars", ["LimbPattern", "SpecialKey"], rng.below(N), rng.below(N))
        s, t = rng.below(N), rng.below(N)
        g.add("another digest", ["WrongDigest"], "invalid", rng.below(N), (t - s) % N, s)
        groups.append(g)
        flags = ["LimbPattern", "SpecialPoint"]
        groups.append(chosen_point("sG + tP: " + name, point, "patterned result", flags, "sum %d" % i)[0])
    return groups


def main():
    groups = published_example() + ordinary() + identities()
    groups += scalars_at_edges() + sums_at_zero() + digests() + digests_above_n() + x_above_n()
    groups += sm2_cases_sums.infinities() + sm2_cases_sums.groups() + limbs()
    rows = [g.json for g in groups] + sm2_cases_key.groups(case, Stream("keys"))
    used = {f for g in rows for t in g["tests"] for f in t["flags"]}
    assert used == set(FLAGS), set(FLAGS) ^ used
    file = {
        "algorithm": "SM2",
        "schema": "README.md",
        "header": [
            "SM2 signature verification (GB/T 32918.2) on the recommended curve with SM3,",
            "in the style of Project Wycheproof, which has none for SM2. Made by make_sm2_cases.py.",
        ],
        "numberOfTests": state["tc"],
        "notes": FLAGS,
        "testGroups": rows,
    }
    json.dump(file, sys.stdout, indent=1, ensure_ascii=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
