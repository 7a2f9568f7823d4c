"""What the files of cases share: flags, groups, and bytes that look random and never change."""
import hashlib

from sm2_slow import *  # noqa: F401,F403

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
