"""Cases in which equal or opposite points meet somewhere inside of sG + tP."""
from sm2_cases import *  # noqa: F401,F403

WINDOW = 8


def odd_digits(k):
    """k (odd, or n - k with the sign given back) as 32 odd digits of at most 255 in size: a common recoding."""
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
            s = (opposite & ~low | random & low) % N
            g.add_scalars("sG and -tP share all but the low %d bits" % cut, flags, s, t)
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
                t = (sign * terms[i] - before) * inverse % N
                g.add_scalars("tP and part of sG %s the term of sG at %s" % (what, where), flags, k, t)
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
        for comment, x in (("0", 0), ("1", 1), ("p", P), ("x of G", G[0])):
            g.add("as if x1 were " + comment, ["PointAtInfinity"], "invalid", (r - x) % N, r, s)
        g.add("digest 0", ["PointAtInfinity"], "invalid", 0, r, s)
        g.add("as if it were tP", ["PointAtInfinity"], "invalid", (r - mul(t, g.pub)[0]) % N, r, s)
    return [g]


def groups():
    return related_keys() + partial_sums() + self_coincidences() + interleaved_coincidences() + chosen_keys()
