"""Malformed encodings of one good signature: each is right in its values (unless said) and wrong in its bytes."""
from sm2_slow import b32, der_len, der_sig, integer_body, tlv


def long_length(tag, body, octets):
    """The length in `octets` octets, though fewer would do."""
    return bytes([tag, 0x80 | octets]) + len(body).to_bytes(octets, "big") + body


def with_length(tag, length, body):
    """The length as stated, whatever the body has."""
    return bytes([tag]) + length + body


def malformed(r, s):
    """(comment, flag, bytes)"""
    ri, si = tlv(0x02, integer_body(r)), tlv(0x02, integer_body(s))
    good = der_sig(r, s)
    yield from truncated(good)
    yield from lengths(ri, si, good)
    yield from integers(r, s, ri, si)
    yield from tags(r, s, ri, si, good)
    yield from raw(r, s, good)


def truncated(good):
    for n in range(len(good)):
        yield "the first %d bytes" % n, "BadLength", good[:n]
    for n in range(1, len(good) - 2, 7):
        yield "%d bytes dropped, the outer length corrected" % n, "BadLength", tlv(0x30, good[2:-n])


def lengths(ri, si, good):
    body = ri + si
    for tail in (b"\0", b"\0\0", b"\x05\0", b"\xff", good, b"\0" * 1000):
        yield "%d bytes behind" % len(tail), "BadLength", good + tail
    yield "the sequence twice", "BadLength", good + good
    for delta in (-70, -34, -2, -1, 1, 2, 57):
        yield "outer length %+d" % delta, "BadLength", with_length(0x30, bytes([len(body) + delta]), body)
    for delta in (-33, -1, 1, 33, 35, 94):
        wrong_r = with_length(0x02, bytes([ri[1] + delta]), ri[2:])
        wrong_s = with_length(0x02, bytes([si[1] + delta]), si[2:])
        yield "length of r %+d" % delta, "BadLength", tlv(0x30, wrong_r + si)
        yield "length of s %+d" % delta, "BadLength", tlv(0x30, ri + wrong_s)
    for octets in (1, 2, 3, 4, 5, 8, 9, 126):
        yield "outer length in %d octets" % octets, "BerEncoding", long_length(0x30, body, octets)
        yield "length of r in %d octets" % octets, "BerEncoding", tlv(0x30, long_length(0x02, ri[2:], octets) + si)
        yield "length of s in %d octets" % octets, "BerEncoding", tlv(0x30, ri + long_length(0x02, si[2:], octets))
    huge = [bytes([0x84]) + b"\xff" * 4, bytes([0x84, 0x7F]) + b"\xff" * 3, bytes([0x85, 1, 0, 0, 0, len(body)])]
    huge += [bytes([0x88]) + b"\xff" * 8, bytes([0x89, 1]) + bytes(7) + bytes([len(body)]), b"\xff", bytes([0x83, 0xFF, 0xFF, 0xFF])]
    for length in huge:
        yield "outer length is %s" % length.hex(), "BadLength", with_length(0x30, length, body)
        yield "length of r is %s" % length.hex(), "BadLength", tlv(0x30, with_length(0x02, length, ri[2:]) + si)
        yield "length of s is %s" % length.hex(), "BadLength", tlv(0x30, ri + with_length(0x02, length, si[2:]))
    yield "indefinite length", "BerEncoding", b"\x30\x80" + body + b"\0\0"
    yield "indefinite length without an end", "BerEncoding", b"\x30\x80" + body
    yield "indefinite length of r", "BerEncoding", tlv(0x30, b"\x02\x80" + ri[2:] + b"\0\0" + si)
    yield "indefinite length of s", "BerEncoding", tlv(0x30, ri + b"\x02\x80" + si[2:] + b"\0\0")


def integers(r, s, ri, si):
    rb, sb = integer_body(r), integer_body(s)
    for zeros in (1, 2, 3, 30, 1000):
        pad = b"\0" * zeros
        yield "%d needless zeros before r" % zeros, "BadInteger", tlv(0x30, tlv(0x02, pad + rb) + si)
        yield "%d needless zeros before s" % zeros, "BadInteger", tlv(0x30, ri + tlv(0x02, pad + sb))
    yield "r without its zero: negative", "BadInteger", tlv(0x30, tlv(0x02, b32(r)) + si)
    yield "s without its zero: negative", "BadInteger", tlv(0x30, ri + tlv(0x02, b32(s)))
    yield "both without their zeros", "BadInteger", tlv(0x30, tlv(0x02, b32(r)) + tlv(0x02, b32(s)))
    yield "-r", "BadInteger", der_sig(-r, s)
    yield "-s", "BadInteger", der_sig(r, -s)
    yield "needless ff before a negative r", "BadInteger", tlv(0x30, tlv(0x02, b"\xff" + integer_body(-r)) + si)
    yield "ff before r", "BadInteger", tlv(0x30, tlv(0x02, b"\xff" + b32(r)) + si)
    yield "ff before s", "BadInteger", tlv(0x30, ri + tlv(0x02, b"\xff" + b32(s)))
    yield "empty r", "BadInteger", tlv(0x30, tlv(0x02, b"") + si)
    yield "empty s", "BadInteger", tlv(0x30, ri + tlv(0x02, b""))
    yield "both empty", "BadInteger", tlv(0x30, tlv(0x02, b"") * 2)
    yield "r is 00 00", "BadInteger", tlv(0x30, tlv(0x02, b"\0\0") + si)
    yield "r shifted by a byte", "BadInteger", der_sig(r << 8, s)
    yield "s shifted by a byte", "BadInteger", der_sig(r, s << 8)
    for bits in (256, 257, 264, 320, 512, 1024, 8192):
        yield "r + 2^%d" % bits, "BadInteger", der_sig(r + (1 << bits), s)
        yield "s + 2^%d" % bits, "BadInteger", der_sig(r, s + (1 << bits))
    yield "r byte-reversed", "BadInteger", der_sig(int.from_bytes(b32(r), "little"), s)
    yield "s byte-reversed", "BadInteger", der_sig(r, int.from_bytes(b32(s), "little"))


def tags(r, s, ri, si, good):
    body = ri + si
    for tag in (0x00, 0x02, 0x04, 0x10, 0x31, 0x32, 0x20, 0x70, 0xA0, 0xB0, 0xFF):
        yield "outer tag %02x" % tag, "BadTag", tlv(tag, body)
    for tag in (0x00, 0x01, 0x03, 0x04, 0x05, 0x09, 0x0A, 0x22, 0x30, 0x42, 0x82, 0xA2, 0xFF):
        yield "tag of r %02x" % tag, "BadTag", tlv(0x30, tlv(tag, ri[2:]) + si)
        yield "tag of s %02x" % tag, "BadTag", tlv(0x30, ri + tlv(tag, si[2:]))
    yield "outer tag in the long form", "BerEncoding", b"\x3f\x10" + der_len(len(body)) + body
    yield "tag of r in the long form", "BerEncoding", tlv(0x30, b"\x1f\x02" + ri[1:] + si)
    yield "an empty sequence", "BadTag", tlv(0x30, b"")
    yield "r alone", "BadTag", tlv(0x30, ri)
    yield "s missing, r twice", "BadTag", tlv(0x30, ri + ri)
    yield "no sequence around", "BadTag", body
    for name, extra in (("NULL", b"\x05\0"), ("end of contents", b"\0\0"), ("INTEGER 0", b"\x02\x01\0"), ("s again", si), ("one byte", b"\x02")):
        yield "%s behind s" % name, "BadTag", tlv(0x30, body + extra)
        yield "%s before r" % name, "BadTag", tlv(0x30, extra + body)
        yield "%s between r and s" % name, "BadTag", tlv(0x30, ri + extra + si)
    yield "the sequence in a sequence", "BadTag", tlv(0x30, good)
    yield "r in a sequence", "BadTag", tlv(0x30, tlv(0x30, ri) + si)
    yield "s in a sequence", "BadTag", tlv(0x30, ri + tlv(0x30, si))
    yield "in an OCTET STRING", "BadTag", tlv(0x04, good)
    yield "in a BIT STRING", "BadTag", tlv(0x03, b"\0" + good)
    yield "a constructed INTEGER", "BerEncoding", tlv(0x30, tlv(0x22, ri) + si)
    yield "r is the NULL", "BadTag", tlv(0x30, b"\x05\0" + si)
    yield "r is TRUE", "BadTag", tlv(0x30, b"\x01\x01\xff" + si)
    yield "s is a REAL", "BadTag", tlv(0x30, ri + bytes.fromhex("090380fb05"))
    yield "s is printable text", "BadTag", tlv(0x30, ri + b"\x13\x041234")


def raw(r, s, good):
    yield "no byte at all", "BadLength", b""
    yield "r || s", "RawSignature", b32(r) + b32(s)
    yield "s || r", "RawSignature", b32(s) + b32(r)
    yield "04 || r || s", "RawSignature", b"\x04" + b32(r) + b32(s)
    yield "r || s in an OCTET STRING", "RawSignature", tlv(0x04, b32(r) + b32(s))
    yield "r || s little-endian", "RawSignature", b32(r)[::-1] + b32(s)[::-1]
    yield "64 zeros", "RawSignature", bytes(64)
    yield "72 zeros", "RawSignature", bytes(72)
    yield "DER as hexadecimal text", "RawSignature", good.hex().encode()
