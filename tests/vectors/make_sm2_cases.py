#!/usr/bin/python3
"""Writes sm2_verify.json: cases for SM2 verifiers, each with its reason (README.md says what the fields mean).

    make_sm2_cases.py > sm2_verify.json

Every verdict is stated by the case and computed by sm2_slow.py; they must agree or nothing is written. What looks
random comes from SHA-256 of a label, so two runs write the same bytes.
"""
import hashlib
import json
import sys

from sm2_slow import *  # noqa: F401,F403
import sm2_cases_der

FLAGS = {
    "Ordinary": "An everyday signature.",
    "PublishedExample": "The example of GB/T 32918.5 (GM/T 0003.5), annex A.2.",
    "ModifiedMessage": "The message differs from the one that was signed.",
    "ModifiedSignature": "r or s was changed after signing.",
    "WrongKey": "The signature is good under another key.",
    "WrongIdentity": "The signature is good under another identity: Z must be computed from the one given.",
    "LongIdentity": "The identity's length in bits must fit two bytes: 8191 bytes at most. OpenSSL stops at 8190.",
    "WrongDigest": "The right key and nonce, but what was signed is not SM3(Z || M).",
    "OtherScheme": "An ECDSA signature, or SM2 without one of its steps.",
    "RangeCheck": "r and s must be in 1 .. n-1, not merely right modulo n.",
    "EdgeScalar": "r, s or t = r + s is at an edge, sparse or dense: carries and recodings.",
    "SumIsZero": "t = r + s = 0 mod n must be refused, even where the rest of the equation holds.",
    "EdgeDigest": "The digest is 0, around n, or not below n: it is reduced modulo n.",
    "XNotReduced": "The x coordinate of sG + tP is not below n: r' = e + x1 - n. A comparison in the field must try both.",
    "FieldComparison": "r - e + n, taken modulo p, is x1, yet r = e + x1 mod n does not hold.",
    "PointAtInfinity": "sG + tP is the point at infinity: it has no x coordinate, nothing may pass.",
    "ExceptionalAddition": "Equal or opposite points meet inside of sG + tP: incomplete addition formulas fail.",
    "SelfCoincidence": "A scalar whose high part is congruent to its low part: the same within one multiplication.",
    "SpecialKey": "A public key of small or otherwise special discrete logarithm, or with special coordinates.",
    "LimbPattern": "A coordinate, or its Montgomery form (R = 2^256 or 2^260), has limbs of zeros or ones: carries.",
    "SpecialPoint": "sG + tP has special coordinates.",
    "BadLength": "The lengths of the DER encoding do not fit the bytes.",
    "BerEncoding": "BER allows it, DER does not.",
    "BadInteger": "An INTEGER is not in its shortest form, empty, negative or too large.",
    "BadTag": "A tag is not what it must be, or an element is missing or too many.",
    "RawSignature": "r || s without DER.",
    "InvalidCurve": "The point is not on the curve. Where a signature is given, it holds for who does not check.",
    "SmallOrder": "The point has a small order on another curve with the same a: sG + tP can be chosen.",
    "CoordinateRange": "A coordinate is not below p, though it is right modulo p.",
    "PointEncoding": "The encoding of the point is not 04 || X || Y of 65 bytes, or malformed.",
    "OtherEncoding": "Compressed and hybrid points: GB/T 32918.1 4.2.9 allows them, a verifier may refuse them.",
    "BadSpki": "The SubjectPublicKeyInfo is malformed or of another algorithm or curve.",
}

state = {"tc": 0}


class Stream:
    """Bytes that look random and never change."""

    def __init__(self, label):
        self.label, self.count = label, 0

    def bytes(self, n):
        out = b""
        while len(out) < n:
            out += hashlib.sha256(b"%s %d" % (self.label.encode(), self.count)).digest()
            self.count += 1
        return out[:n]

    def below(self, limit):
        """1 .. limit-1"""
        return int.from_bytes(self.bytes(48), "big") % (limit - 1) + 1


def case(comment, flags, result, **fields):
    assert all(f in FLAGS for f in flags), flags
    state["tc"] += 1
    return {"tcId": state["tc"], "comment": comment, "flags": flags, **fields, "result": result}


def key_fields(pub):
    return {
        "publicKey": {
            "type": "EcPublicKey",
            "curve": "sm2p256v1",
            "keySize": 256,
            "uncompressed": point_bytes(pub).hex(),
            "wx": b32(pub[0]).hex(),
            "wy": b32(pub[1]).hex(),
        },
        "publicKeyDer": spki(point_bytes(pub)).hex(),
    }


class MessageGroup:
    """One key, one identity; the message is hashed."""

    def __init__(self, name, pub, ident=DEFAULT_ID):
        self.pub, self.ident = pub, ident
        self.json = {"type": "Sm2Verify", "name": name, **key_fields(pub), "identity": ident.hex(), "tests": []}
        self.seen = set()

    def add(self, comment, flags, result, msg, sig):
        if (msg, sig) in self.seen:
            return
        self.seen.add((msg, sig))
        fits = verify(self.pub, self.ident, msg, sig)
        assert fits == (result != "invalid") or len(self.ident) > 8190, (comment, fits)
        self.json["tests"].append(case(comment, flags, result, msg=msg.hex(), sig=sig.hex()))


class DigestGroup:
    """One key; the digest SM3(Z || M) is given, so that cases can choose it."""

    def __init__(self, name, pub):
        self.pub = pub
        self.json = {"type": "Sm2DigestVerify", "name": name, **key_fields(pub), "tests": []}
        self.seen = set()

    def add(self, comment, flags, result, e, r, s):
        self.add_sig(comment, flags, result, e, der_sig(r, s))

    def add_sig(self, comment, flags, result, e, sig):
        if (e, sig) in self.seen:
            return
        self.seen.add((e, sig))
        assert verify_digest(self.pub, b32(e), sig) == (result == "valid"), comment
        self.json["tests"].append(case(comment, flags, result, digest=b32(e).hex(), sig=sig.hex()))

    def add_scalars(self, comment, flags, s, t, point=None):
        """Choose the digest so that s and t = r + s are what is asked; valid unless sG + tP is infinite."""
        r = (t - s) % N
        if r == 0 or s % N == 0 or t % N == 0:
            return
        pt = point or add(mul(s, G), mul(t, self.pub))
        if pt is INFINITY:
            self.add(comment + ", infinite", flags + ["PointAtInfinity"], "invalid", r, r, s)
        else:
            self.add(comment, flags, "valid", (r - pt[0]) % N, r, s)


# ---- messages ---------------------------------------------------------------------------------------------------------
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


# ---- chosen digests ---------------------------------------------------------------------------------------------------
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
        g, s, t = chosen_point("x1 = 0x%x" % x, lift(x), "x1 is below p - n: the first candidate fits", ["SpecialPoint"], "low %d" % x)
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
    rows = [(ones, zero, zero, zero), (zero, ones, zero, zero), (zero, zero, ones, zero), (zero, zero, zero, 0x7FFFFFFFFFFFFFFF)]
    rows += [(zero, ones, ones, ones - 2**32 - 1), (ones, ones, 0xFFFFFFFF, 1), (1, 0, 0, 2**63), (ones, 0, ones, 0)]
    rows += [(0, 2**63, 2**63, 2**63), (ones, 0xFFFFFFFF00000000, ones, 0xFFFFFFFEFFFFFFFF), (2**32, 2**32, 2**32, 2**32)]
    values = [sum(limb << 64 * i for i, limb in enumerate(row)) for row in rows]
    r52 = [2**52 - 1, (2**52 - 1) << 52, (2**52 - 1) << 104, (2**52 - 1) << 156, (2**48 - 1) << 208, 1 << 208, (1 << 208) - 1]
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
        groups.append(chosen_point("sG + tP: " + name, point, "patterned result", ["LimbPattern", "SpecialPoint"], "sum %d" % i)[0])
    return groups


# ---- exceptional additions --------------------------------------------------------------------------------------------
WINDOW = 8


def odd_digits(k):
    """k (odd, or n - k with the sign given back) as 32 odd digits of at most 255 in size: one common regular recoding."""
    sign = 1
    if k % 2 == 0:
        k, sign = N - k, -1
    out = []
    for _ in range(31):
        digit = (k & (2**WINDOW - 1) | 1) - 2**WINDOW if (k >> WINDOW) % 2 == 0 else k & (2**WINDOW - 1)
        out.append(sign * digit)
        k = (k - digit) >> WINDOW
    return out + [sign * k]


def small_logarithms():
    out = [("G", 1), ("-G", N - 1)]
    out += [("%dG" % k, k) for k in (2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 127, 255, 256, 257)]
    out += [("-%dG" % k, N - k) for k in (2, 3, 16, 255, 256)]
    out += [("2^%d G" % k, pow(2, k, N)) for k in (16, 24, 52, 64, 128, 192, 248, 255, 256)]
    out += [("G/%d" % k, pow(k, -1, N)) for k in (2, 3, 256)]
    out += [("-G/2", N - pow(2, -1, N)), ("G/2^128", pow(2, -128, N)), ("2^128 - 1 G", 2**128 - 1)]
    return out


def related_keys():
    groups = []
    for name, d in small_logarithms():
        rng = Stream("related " + name)
        g = DigestGroup("P = " + name, mul(d, G))
        flags = ["SpecialKey", "ExceptionalAddition"]
        t = rng.below(N)
        g.add_scalars("random scalars", ["SpecialKey"], rng.below(N), rng.below(N))
        for what, t in (("a random t", rng.below(N)), ("t = 1", 1), ("t = 2", 2), ("t = n - 1", N - 1)):
            g.add_scalars("sG = tP, %s" % what, flags, t * d % N, t)
            g.add_scalars("sG = -tP, %s" % what, flags, -t * d % N, t)
            g.add_scalars("sG = tP + G, %s" % what, flags, (t * d + 1) % N, t)
            g.add_scalars("sG = -tP + G, %s" % what, flags, (1 - t * d) % N, t)
        for cut in (8, 64, 128, 192, 248):
            t = rng.below(N)
            low = (1 << cut) - 1
            same, opposite, random = t * d % N, -t * d % N, rng.below(N)
            g.add_scalars("sG and tP share the low %d bits" % cut, flags, (same & low | random & ~low) % N, t)
            g.add_scalars("sG and tP share all but the low %d bits" % cut, flags, (same & ~low | random & low) % N, t)
            g.add_scalars("sG and -tP share the low %d bits" % cut, flags, (opposite & low | random & ~low) % N, t)
            g.add_scalars("sG and -tP share all but the low %d bits" % cut, flags, (opposite & ~low | random & low) % N, t)
        for first, second in ((1, 1), (3, 3), (1, 3), (255, 255), (127, 255)):
            s, t = ((v * int("01" * 32, 16)) % N for v in (first, second))
            g.add_scalars("every byte of s is %d, of t %d" % (first, second), flags, s, t)
            g.add_scalars("every byte of s is %d, of n - t %d" % (first, second), flags, s, N - t)
        groups.append(g)
    return groups


def partial_sums():
    """Any key: s and t are chosen so that a sum over 8-bit windows meets its next term, doubled or cancelled."""
    rng = Stream("partial sums")
    d = rng.below(N - 1)
    g = DigestGroup("sums that meet their next term", mul(d, G))
    inverse = pow(d, -1, N)
    flags = ["ExceptionalAddition"]
    for i in (1, 2, 7, 8, 15, 16, 24, 30, 31):
        for way in ("up", "down"):
            k = rng.below(N)
            terms = [digit << WINDOW * j for j, digit in enumerate(odd_digits(k))]
            before = sum(terms[:i]) if way == "up" else sum(terms[i + 1 :])
            for sign, what in ((1, "equals"), (-1, "cancels")):
                s = (sign * terms[i] - before) * d % N
                where = "window %d, %swards" % (i, way)
                g.add_scalars("sG and part of tP %s the term of tP at %s" % (what, where), flags, s, k)
                g.add_scalars("tP and part of sG %s the term of sG at %s" % (what, where), flags, k, (sign * terms[i] - before) * inverse % N)
    return [g]


def self_coincidences():
    """k = 2 h 2^c - n: h 2^c = k - h 2^c mod n, so kG ends in a doubling when it is cut at bit c."""
    rng = Stream("self")
    g = DigestGroup("scalars whose parts coincide", mul(rng.below(N), G))
    for c in sorted(set(list(range(4, 256, 4)) + list(range(5, 256, 5)) + list(range(7, 256, 7)))):
        h = N >> c
        k = 2 * (h << c) - N
        if h % 2 == 0 or k <= 0:
            continue
        other = rng.below(N)
        for name, v in (("", k), ("n minus ", N - k)):
            where = "%s2 h 2^%d - n" % (name, c)
            g.add_scalars("s is " + where, ["SelfCoincidence"], v, other)
            g.add_scalars("t is " + where, ["SelfCoincidence"], other, v)
    return [g]


def interleaved_coincidences():
    """Windows of k split by one bit of their number: the two parts are congruent when they are the parts of n's own
    digits with the sign of one changed. For sums in lanes or over a tree that does not go by halves."""
    rng = Stream("interleaved")
    g = DigestGroup("scalars whose windows coincide when they are split by number", mul(rng.below(N), G))
    for bit in range(5):
        k = sum((-digit if i >> bit & 1 else digit) << WINDOW * i for i, digit in enumerate(odd_digits(N)))
        for name, v in (("", k % N), ("n minus ", -k % N)):
            other = rng.below(N)
            where = "%sthe scalar whose windows of odd and even i >> %d are congruent" % (name, bit)
            g.add_scalars("s is " + where, ["SelfCoincidence"], v, other)
            g.add_scalars("t is " + where, ["SelfCoincidence"], other, v)
    return [g]


def window_terms(k):
    return [digit << WINDOW * i for i, digit in enumerate(odd_digits(k))]


def sum_nodes():
    """Parts of sG + tP that an implementation may add: (name, windows of s, windows of t, the same for the other part)"""
    every = range(32)
    for step in (1, 2, 4, 8, 16):  # lanes of windows i mod 8 or mod 32, merged in pairs
        width = 8 if step < 8 else 32
        one = [i for i in every if i % width // step == 0]
        two = [i for i in every if i % width // step == 1]
        yield "lanes merged at distance %d" % step, one, one, two, two
    for lane in (0, 3, 7):
        own = [i for i in every if i % 8 == lane]
        yield "lane %d, its first term of P" % lane, own, [], [], own[:1]
        yield "lane %d, its last term of P" % lane, own, own[:3], [], own[3:]
    for i in (1, 16, 31):
        yield "upwards, both at window %d" % i, every[:i], every[:i], [i], [i]
        yield "upwards, s before t at window %d" % i, every[: i + 1], every[:i], [], [i]
    for i in (0, 15, 30):
        yield "downwards, both at window %d" % i, every[i + 1 :], every[i + 1 :], [i], [i]
        yield "downwards, s before t at window %d" % i, every[i:], every[i + 1 :], [], [i]
    yield "halves", every[:16], every[:16], every[16:], every[16:]
    yield "odd and even windows", every[::2], every[::2], every[1::2], every[1::2]


def chosen_keys():
    """s and t are random; the key is the one for which two parts of the sum are equal, or opposite."""
    groups = []
    for number, (name, s1, t1, s2, t2) in enumerate(sum_nodes()):
        for sign, what in ((1, "equal"), (-1, "opposite")):
            rng = Stream("node %d %d" % (number, sign))
            s, t = rng.below(N), rng.below(N)
            ws, wt = window_terms(s), window_terms(t)
            left = sum(ws[i] for i in s1) - sign * sum(ws[i] for i in s2)
            right = sum(wt[i] for i in t1) - sign * sum(wt[i] for i in t2)
            d = -left * pow(right, -1, N) % N
            g = DigestGroup("key by which parts are %s: %s" % (what, name), mul(d, G))
            g.add_scalars("the two parts are " + what, ["ExceptionalAddition", "SpecialKey"], s, t)
            groups.append(g)
    return groups


def infinities():
    rng = Stream("infinity")
    d = rng.below(N - 1)
    g = DigestGroup("sG + tP infinite", mul(d, G))
    for t in (1, 2, rng.below(N), rng.below(N), N - 1):
        s = -t * d % N
        r = (t - s) % N
        for comment, e in (("as if x1 were 0", r), ("as if x1 were 1", r - 1), ("as if x1 were p", r - P), ("as if x1 were x of G", r - G[0]), ("digest 0", 0)):
            g.add(comment, ["PointAtInfinity"], "invalid", e % N, r, s)
        g.add("as if it were tP", ["PointAtInfinity"], "invalid", (r - mul(t, g.pub)[0]) % N, r, s)
    return [g]


def main():
    import sm2_cases_key

    groups = published_example() + ordinary() + identities()
    groups += scalars_at_edges() + sums_at_zero() + digests() + digests_above_n() + x_above_n() + infinities()
    groups += related_keys() + partial_sums() + self_coincidences() + interleaved_coincidences() + chosen_keys() + limbs()
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
