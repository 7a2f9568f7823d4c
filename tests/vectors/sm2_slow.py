"""SM2 signatures and SM3, written from GB/T 32918.1, .2, .5 and GB/T 32905 with Python's integers.

Slow and plain on purpose: affine points, one inversion per addition, no tricks. It shares nothing with the C code and
is the oracle that the cases of sm2_verify.json are computed and checked with. Not for real keys: nothing is constant time.
"""

# ---- the recommended curve (GB/T 32918.5): y^2 = x^3 + ax + b over p, G of prime order n, cofactor 1 ------------------
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
INFINITY = None  # a point is a pair, or this
DEFAULT_ID = b"1234567812345678"


def on_curve(pt):
    x, y = pt
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x - A * x - B) % P == 0


def neg(pt):
    return pt if pt is INFINITY else (pt[0], -pt[1] % P)


def add(a, b):
    """Never uses the curve's b, so it also adds points of other curves with the same a (invalid-curve cases)."""
    if a is INFINITY:
        return b
    if b is INFINITY:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return INFINITY
        slope = (3 * a[0] * a[0] + A) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return (x, (slope * (a[0] - x) - a[1]) % P)


def mul(k, pt):
    """k is not reduced: an order other than n is somebody else's."""
    out = INFINITY
    for bit in bin(k)[2:]:
        out = add(out, out)
        if bit == "1":
            out = add(out, pt)
    return out


def sqrt(v):
    """None when v is not a square; p = 3 mod 4."""
    root = pow(v % P, (P + 1) // 4, P)
    return root if root * root % P == v % P else None


def lift(x):
    """The point with this x and an even y, or None."""
    if not 0 <= x < P:
        return None
    y = sqrt(x * x * x + A * x + B)
    return None if y is None else (x, y if y % 2 == 0 else P - y)


# ---- SM3 (GB/T 32905) ----------------------------------------------------------------------------
IV = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)
WORD = 0xFFFFFFFF


def rotl(x, k):
    k %= 32
    return (x << k | x >> (32 - k)) & WORD if k else x


def p0(x):
    return x ^ rotl(x, 9) ^ rotl(x, 17)


def p1(x):
    return x ^ rotl(x, 15) ^ rotl(x, 23)


def compress(state, block):
    w = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(16)]
    for j in range(16, 68):
        w.append(p1(w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)) ^ rotl(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        t = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = rotl((rotl(a, 12) + e + rotl(t, j)) & WORD, 7)
        ss2 = ss1 ^ rotl(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g)
        tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & WORD
        tt2 = (gg + h + ss1 + w[j]) & WORD
        a, b, c, d = tt1, a, rotl(b, 9), c
        e, f, g, h = p0(tt2), e, rotl(f, 19), g
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h)))


def sm3(msg):
    state = IV
    data = msg + b"\x80" + bytes((55 - len(msg)) % 64) + (8 * len(msg)).to_bytes(8, "big")
    for i in range(0, len(data), 64):
        state = compress(state, data[i : i + 64])
    return b"".join(x.to_bytes(4, "big") for x in state)


# ---- signatures (GB/T 32918.2) -------------------------------------------------------------------
def b32(v):
    return v.to_bytes(32, "big")


def z_value(pub, ident):
    """6.1 of part 2: what binds the identity and the curve; ENTL is a count of bits in two bytes."""
    entl = (8 * len(ident) & 0xFFFF).to_bytes(2, "big")
    return sm3(entl + ident + b32(A) + b32(B) + b32(G[0]) + b32(G[1]) + b32(pub[0]) + b32(pub[1]))


def digest(pub, ident, msg):
    return sm3(z_value(pub, ident) + msg)


def sign_digest(d, e, k):
    """None when the standard says: take another k."""
    x1 = mul(k, G)[0]
    r = (e + x1) % N
    if r == 0 or r + k == N:
        return None
    s = pow(1 + d, -1, N) * (k - r * d) % N
    return None if s == 0 else (r, s)


def verify_rs(pub, e, r, s):
    if not (1 <= r < N and 1 <= s < N):
        return False
    t = (r + s) % N
    if t == 0:
        return False
    pt = add(mul(s, G), mul(t, pub))
    return pt is not INFINITY and (e + pt[0]) % N == r


# ---- DER (GM/T 0009 7.3) -------------------------------------------------------------------------
def der_len(n):
    if n < 0x80:
        return bytes([n])
    body = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag, body):
    return bytes([tag]) + der_len(len(body)) + body


def integer_body(v):
    """Two's complement, as short as it goes."""
    return v.to_bytes((v if v >= 0 else ~v).bit_length() // 8 + 1, "big", signed=True)


def der_sig(r, s):
    return tlv(0x30, tlv(0x02, integer_body(r)) + tlv(0x02, integer_body(s)))


def parse_sig(sig):
    """(r, s), or None: what is read must be written again as the same bytes, so only DER is."""
    try:
        if sig[0] != 0x30 or sig[2] != 0x02:
            return None
        r_len = sig[3]
        s_at = 4 + r_len
        r = int.from_bytes(sig[4:s_at], "big", signed=True)
        s = int.from_bytes(sig[s_at + 2 : s_at + 2 + sig[s_at + 1]], "big", signed=True)
    except IndexError:
        return None
    return (r, s) if der_sig(r, s) == sig else None


def verify_digest(pub, e_bytes, sig):
    rs = parse_sig(sig)
    return rs is not None and verify_rs(pub, int.from_bytes(e_bytes, "big"), *rs)


def verify(pub, ident, msg, sig):
    return verify_digest(pub, digest(pub, ident, msg), sig)


# ---- public keys ---------------------------------------------------------------------------------
SPKI_HEAD = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")  # id-ecPublicKey, curve 1.2.156.10197.1.301


def point_bytes(pub):
    return b"\x04" + b32(pub[0]) + b32(pub[1])


def spki(point):
    return tlv(0x30, SPKI_HEAD + tlv(0x03, b"\x00" + point))


def self_test():
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    assert on_curve(G) and mul(N, G) is INFINITY and add(mul(N - 1, G), G) is INFINITY


self_test()
