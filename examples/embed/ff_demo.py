"""ff_demo.py - the force field of ff.pnn called from Python: the numbers that md.c prints.

pnnc build ff.pnn -o libff.so --python && python3 ff_demo.py
"""
import ff


def start():
    def home(i, k):
        return 0 if i == 0 or k != (i - 1) // 2 else 2.6 if i % 2 == 0 else -2.6
    return [[home(i, k) + 0.03125 * ((3 * i + 5 * k) % 7 - 3) for k in range(3)] for i in range(7)]


R = start()
print(ff.energy(R))
for force in ff.force(R):
    print(*force)
print(*ff.energy_batch([[[x * (1 + 0.0625 * c) for x in atom] for atom in R] for c in range(3)]))
