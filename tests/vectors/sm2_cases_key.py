"""Public keys that must be refused, with signatures that would pass where they are not."""
from sm2_slow import *  # noqa: F401,F403


def groups(case, rng):
    return [points(case, rng), encodings(case, rng), spkis(case, rng)]


def group(name, kind, tests):
    return {"type": kind, "name": name, "tests": tests}


# ---- points of other curves ----------------------------------------------------------------------
def order_two(rng):
    """y = 0: on the curve with b' = -(x^3 + ax)."""
    return (rng.below(P), 0)


def order_three(rng):
    """3x^4 + 6ax^2 + 12b'x - a^2 = 0 gives b' for any x."""
    while True:
        x = rng.below(P)
        b = (A * A - 3 * x**4 - 6 * A * x * x) * pow(12 * x, -1, P) % P
        y = sqrt(x**3 + A * x + b)
        if y:
            return (x, y)


def order_four(rng):
    """Its double has y = 0: with the slope l, y = l(3x - l^2) and 2yl = 3x^2 + a, a quadratic equation in x."""
    while True:
        slope = rng.below(P)
        root = sqrt(36 * slope**4 - 12 * (2 * slope**4 + A))
        if root is None:
            continue
        x = (6 * slope**2 + root) * pow(6, -1, P) % P
        y = slope * (3 * x - slope * slope) % P
        if y and add((x, y), (x, y))[1] == 0:
            return (x, y)


def order_six(rng):
    """(x, y) of order two, and half of what is left: a sum of points of one curve with orders 2 and 3."""
    while True:
        pt = order_three(rng)
        b = (pt[1] ** 2 - pt[0] ** 3 - A * pt[0]) % P
        two = root_of_cubic(b)
        if two is not None:
            return add(pt, (two, 0))


def root_of_cubic(b):
    """A root of x^3 + ax + b by splitting gcd(x^p - x, cubic), or None when it has not exactly one."""
    def times(u, v):
        c = [0] * 5
        for i, ui in enumerate(u):
            for j, vj in enumerate(v):
                c[i + j] = (c[i + j] + ui * vj) % P
        for top in (4, 3):  # x^3 = -ax - b
            c[top - 2] = (c[top - 2] - A * c[top]) % P
            c[top - 3] = (c[top - 3] - b * c[top]) % P
        return c[:3]

    power = [1, 0, 0]
    for bit in bin(P)[2:]:
        power = times(power, power)
        if bit == "1":
            power = times(power, [0, 1, 0])
    g = [power[0], (power[1] - 1) % P, power[2]]  # x^p - x mod the cubic
    if g[2] == 0:
        return None
    # One root only: g is a quadratic; the linear gcd is the remainder of the cubic by it.
    inv = pow(g[2], -1, P)
    u, v = g[1] * inv % P, g[0] * inv % P
    lead = (A - v + u * u) % P
    const = (b + u * v) % P
    if lead == 0:
        return None
    x = -const * pow(lead, -1, P) % P
    return x if (x**3 + A * x + b) % P == 0 else None


def forged(pub, order, rng):
    """A signature for whom the point is not checked: t is a multiple of its order, so sG alone decides."""
    while True:
        s, t = rng.below(N), order * rng.below(N // order)
        r = (t - s) % N
        pt = add(mul(s, G), mul(t, pub))
        if r and pt == mul(s, G):
            return b32((r - pt[0]) % N), der_sig(r, s)


def points(case, rng):
    out = []
    makers = ((2, order_two), (3, order_three), (4, order_four), (6, order_six))
    for order, make in makers:
        for _ in range(2):
            pt = make(rng)
            assert mul(order, pt) is INFINITY and not on_curve(pt)
            e, sig = forged(pt, order, rng)
            comment = "of order %d on another curve" % order
            fields = {"point": point_bytes(pt).hex(), "digest": e.hex(), "sig": sig.hex()}
            out.append(case(comment, ["InvalidCurve", "SmallOrder"], "invalid", **fields))
    d = rng.below(N - 1)
    x, y = mul(d, G)
    off = [("y + 1", (x, y + 1)), ("x + 1", (x + 1, y)), ("exchanged", (y, x)), ("2y", (x, 2 * y % P)), ("y = 0", (x, 0))]
    off += [("x = 0", (0, y)), ("0, 0", (0, 0)), ("1, 1", (1, 1)), ("p - 1, p - 1", (P - 1, P - 1)), ("y^-1", (x, pow(y, -1, P)))]
    off += [("(n, y)", (N, y)), ("lowest bit of y", (x, y ^ 1)), ("highest bit of x", (x ^ 1 << 255, y)), ("n - y", (x, (N - y) % P))]
    p256_x = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
    p256_y = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
    off += [("G of NIST P-256", (p256_x, p256_y))]
    for name, pt in off:
        assert not on_curve(pt)
        out.append(case("not on the curve: " + name, ["InvalidCurve"], "invalid", point=point_bytes(pt).hex()))
    out += out_of_range(case)
    for name, pt in (("G", G), ("-G", neg(G)), ("x = 0", lift(0)), ("an ordinary point", (x, y)), ("its negative", (x, P - y))):
        out.append(case("good: " + name, ["SpecialKey"], "valid", point=point_bytes(pt).hex()))
    return group("points", "Sm2PublicKey", out)


def out_of_range(case):
    """x + p or y + p below 2^256: right modulo p. Only coordinates below 2^256 - p have such a form."""
    out, x, found = [], 0, 0
    while found < 3:
        pt = lift(x)
        if pt is not None:
            for y in (pt[1], P - pt[1]):
                past = point_bytes((x + P, y)).hex()
                out.append(case("x + p, x = %d" % x, ["CoordinateRange"], "invalid", point=past))
            found += 1
        x += 1
    for y in small_y(2):
        past = point_bytes((y[0], y[1] + P)).hex()
        out.append(case("y + p, y = %d" % y[1], ["CoordinateRange"], "invalid", point=past))
        out.append(case("small y = %d" % y[1], ["SpecialKey"], "valid", point=point_bytes(y).hex()))
    for name, px, py in (("x = p", P, G[1]), ("y = p", G[0], P), ("both p", P, P), ("both 2^256 - 1", 2**256 - 1, 2**256 - 1)):
        out.append(case(name, ["CoordinateRange"], "invalid", point=point_bytes((px, py)).hex()))
    return out


def small_y(count):
    """Points with the smallest y whose cubic x^3 + ax + b - y^2 has exactly one root."""
    y, out = 1, []
    while len(out) < count:
        x = root_of_cubic((B - y * y) % P)
        if x is not None:
            out.append((x, y))
        y += 1
    return out


# ---- encodings -----------------------------------------------------------------------------------
def encodings(case, rng):
    pt = mul(rng.below(N - 1), G)
    x, y = b32(pt[0]), b32(pt[1])
    good = point_bytes(pt)
    out = [case("uncompressed", ["Ordinary"], "valid", point=good.hex())]
    add_case = lambda comment, flag, data, result="invalid": out.append(case(comment, [flag], result, point=data.hex()))
    odd = pt[1] & 1
    add_case("compressed", "OtherEncoding", bytes([2 + odd]) + x, "acceptable")
    add_case("compressed: the other root", "OtherEncoding", bytes([3 - odd]) + x, "acceptable")
    add_case("hybrid", "OtherEncoding", bytes([6 + odd]) + x + y, "acceptable")
    add_case("hybrid with the wrong parity", "PointEncoding", bytes([7 - odd]) + x + y)
    bad_x = next(v for v in range(1, 100) if lift(v) is None)
    add_case("compressed, x on the twist", "InvalidCurve", b"\x02" + b32(bad_x))
    add_case("compressed, x = p", "CoordinateRange", b"\x02" + b32(P))
    add_case("hybrid, not on the curve", "InvalidCurve", bytes([6 + odd]) + x + b32(pt[1] ^ 2))
    add_case("infinity: one zero", "PointEncoding", b"\0")
    add_case("infinity: 65 zeros", "PointEncoding", bytes(65))
    add_case("infinity: 04 and zeros", "PointEncoding", b"\x04" + bytes(64))
    add_case("empty", "PointEncoding", b"")
    for n in (1, 2, 32, 33, 34, 63, 64):
        add_case("the first %d bytes" % n, "PointEncoding", good[:n])
    add_case("one byte behind", "PointEncoding", good + b"\0")
    add_case("a zero before", "PointEncoding", b"\0" + good)
    add_case("x || y without 04", "PointEncoding", x + y)
    for first in (0x00, 0x01, 0x05, 0x08, 0x40, 0x84, 0xFF):
        add_case("first byte %02x" % first, "PointEncoding", bytes([first]) + x + y)
    add_case("coordinates of 33 bytes", "PointEncoding", b"\x04\0" + x + b"\0" + y)
    add_case("coordinates of 31 bytes", "PointEncoding", b"\x04" + x[1:] + y[1:])
    add_case("little-endian", "PointEncoding", b"\x04" + x[::-1] + y[::-1])
    add_case("twice", "PointEncoding", good + good)
    return group("encodings of points", "Sm2PublicKey", out)


def spkis(case, rng):
    """SubjectPublicKeyInfo (GM/T 0015, RFC 5480): `der` instead of `point`."""
    point = point_bytes(mul(rng.below(N - 1), G))
    alg, bits = SPKI_HEAD, tlv(0x03, b"\0" + point)
    ec, sm2 = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06082a811ccf5501822d")
    p256, x25519 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06032b656e")
    good = tlv(0x30, alg + bits)
    out = [case("as everybody writes it", ["Ordinary"], "valid", der=good.hex())]
    bad = lambda comment, data: out.append(case(comment, ["BadSpki"], "invalid", der=data.hex()))
    bad("one byte behind", good + b"\0")
    bad("empty", b"")
    for n in (1, 2, 20, 23, 26, 27, 60, 90):
        bad("the first %d bytes" % n, good[:n])
    bad("the curve of NIST P-256", tlv(0x30, tlv(0x30, ec + p256) + bits))
    bad("another algorithm", tlv(0x30, tlv(0x30, x25519) + bits))
    bad("the curve missing", tlv(0x30, tlv(0x30, ec) + bits))
    bad("the curve NULL", tlv(0x30, tlv(0x30, ec + b"\x05\0") + bits))
    bad("the point missing", tlv(0x30, alg))
    bad("an empty BIT STRING", tlv(0x30, alg + tlv(0x03, b"")))
    bad("a BIT STRING without the point", tlv(0x30, alg + tlv(0x03, b"\0")))
    bad("the point in an OCTET STRING", tlv(0x30, alg + tlv(0x04, point)))
    bad("the point one byte short", tlv(0x30, alg + tlv(0x03, b"\0" + point[:-1])))
    bad("the point one byte longer", tlv(0x30, alg + tlv(0x03, b"\0" + point + b"\0")))
    bad("the point at infinity", tlv(0x30, alg + tlv(0x03, b"\0\0")))
    bad("a point not on the curve", tlv(0x30, alg + tlv(0x03, b"\0" + point[:-1] + bytes([point[-1] ^ 1]))))
    bad("algorithm and key exchanged", tlv(0x30, bits + alg))
    bad("the point alone", point)
    assert alg[2:] == ec + sm2
    return group("SubjectPublicKeyInfo", "Sm2PublicKey", out)
