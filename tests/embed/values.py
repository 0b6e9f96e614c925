"""values.py PNNC PROGRAM WEIGHTS: the library beside this file against pnnc's own evaluation, kind by kind."""
import math
import subprocess
import sys

import kinds

pnnc, program, weights = sys.argv[1:4]
bad = 0


def numbers(values):
    if isinstance(values, (list, tuple)):
        return [x for v in values for x in numbers(v)]
    return [values.real, values.imag] if isinstance(values, complex) else [float(values)]


def evaluate(expressions):
    words = [w for e in expressions for w in ("-e", "digits(%s, 17)" % e)]
    out = subprocess.run([pnnc, "eval", "-q", program, "-w", weights] + words, capture_output=True, text=True, check=True)
    return [float(word.strip("[],'eVmÅ")) for word in out.stdout.split() if word[-1] not in "'Vmd"]


def same(name, have, want):
    global bad
    have = numbers(have)
    if len(have) != len(want) or any(abs(a - b) > 1e-13 * (1 + abs(b)) for a, b in zip(have, want)):
        print("%s: %s, not %s" % (name, have, want))
        bad += 1


X = [0.125, -0.5, 1.75]
text = "[%s]" % ", ".join(map(str, X))
same("u", kinds.u(X), evaluate(["u(%s)" % text]))
value, slope = kinds.u_grad(X)
same("u_grad", [value] + slope, evaluate(["u(%s)" % text] + ["du(%s)[%d]" % (text, k) for k in range(3)]))
same("du", kinds.du(X), evaluate(["du(%s)[%d]" % (text, k) for k in range(3)]))
same("walk", kinds.walk(X)[5], evaluate(["walk(%s)[6,%d]" % (text, k) for k in range(3)]))
same("spring", kinds.spring(1.5, 2.0), evaluate(["spring(1.5 'Å', 2 'eV/Å^2')/1 'eV'"]))
same("spring_grad", kinds.spring_grad(1.5, 2.0), [2.25, 3.0, 1.125])
same("shifted", kinds.shifted(3, 4), evaluate(["shifted(3, 4)"]))
same("pick", kinds.pick(X, 2, 3, True), [1.75 * 0.25, 5, 0])
same("pick", kinds.pick(X, 2, 3, False), [-1.75, 5, 1])
z, v = 1 + 2j, [1j, 2, 3 - 1j]
first, second = kinds.wave(z, v, 3)
exp = math.e * complex(math.cos(2), math.sin(2))
want = numbers([exp * z.conjugate() ** 2 + 3] + [z * w for w in v])
same("wave", [first] + second, want)
same("scaled", kinds.scaled(2.0), [2.5])  # the let stands before the set
line = kinds.level(2.0)
same("level", (kinds.level(2.0 + 1e-4) - kinds.level(2.0 - 1e-4)) / 2e-4 - kinds.level_grad(2.0)[1] > 1e-5, [0])
same("level_batch", kinds.level_batch([2.0] * 40), [line] * 40)

for call, message in ((lambda: kinds.pick(X, 3, 0, True), "outside"), (lambda: kinds.pick(X, 0, -1, True), "outside"),
                      (lambda: kinds.shifted(2 ** 62, 4), "overflowed"), (lambda: kinds.u([1.0]), "elements")):
    try:
        call()
        print("no error: %s" % message)
        bad += 1
    except ValueError as error:
        if message not in str(error):
            print("another error: %s" % error)
            bad += 1

try:
    import numpy
except ImportError:
    numpy = None
if numpy:
    a = kinds.walk_batch(numpy.array([X] * 3))
    same("numpy", [a.shape == (3, 6, 3), a.dtype == numpy.float64], [1, 1])
    same("numpy", a[2].ravel().tolist(), numbers(kinds.walk_batch([X])[0]))
sys.exit(bad > 0)
