# Ground states by variation: the experiment of examples/quantum/ground.pnn.
# States are of shape (batch, 2^n); qubit k is bit k of the index.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
J = H = 1.0
NUCLEAR, C1 = 0.7199689944489797, 0.39793742484318045
STO = -1.052373245772859, C1, -C1, -0.01128010425623538, 0.18093119978423156, 0
OMALLEY = 0.2252, 0.3435, -0.4347, 0.5716, 0.0910, 0.0910
PAULI = {
    "I": torch.eye(2, dtype=torch.complex128),
    "X": torch.tensor([[0, 1], [1, 0]], dtype=torch.complex128),
    "Y": torch.tensor([[0, -1j], [1j, 0]], dtype=torch.complex128),
    "Z": torch.tensor([[1, 0], [0, -1]], dtype=torch.complex128),
}


def matrix(n, **at):
    """The product of Pauli matrices on n qubits: matrix(2, X=[0, 1]) is X₀X₁."""
    names = {k: name for name, places in at.items() for k in places}
    whole = torch.ones(1, 1, dtype=torch.complex128)
    for k in reversed(range(n)):
        whole = torch.kron(whole, PAULI[names.get(k, "I")])
    return whole


def rotate(psi, operator, angle):
    return torch.cos(angle / 2)[:, None] * psi - 1j * torch.sin(angle / 2)[:, None] * (psi @ operator.T)


def expval(psi, operator):
    return (psi.conj() * (psi @ operator.T)).sum(1).real


def basis(batch, size, k):
    psi = torch.zeros(batch, size, dtype=torch.complex128)
    psi[:, k] = 1
    return psi


def lbfgs(parameters, loss, steps):
    optimizer = torch.optim.LBFGS(parameters, max_iter=steps, max_eval=2 * steps, history_size=40,
                                  tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


# H₂ on two qubits.
def molecule(c0, a, b, c, x, y):
    return (c0 * matrix(2) + a * matrix(2, Z=[0]) + b * matrix(2, Z=[1]) + c * matrix(2, Z=[0, 1])
            + x * matrix(2, X=[0, 1]) + y * matrix(2, Y=[0, 1]))


def levels(c0, a, b, c, x, y):
    u, v = math.hypot(a - b, x + y), math.hypot(a + b, x - y)
    return torch.tensor(sorted([c0 - c - u, c0 - c + u, c0 + c - v, c0 + c + v]))


for constants in STO, OMALLEY:
    assert (torch.linalg.eigvalsh(molecule(*constants)) - levels(*constants)).abs().max() < 1e-10
E0, M0 = levels(*STO)[0].item(), levels(*OMALLEY)[0].item()
assert abs(M0 + 1.145599124) < 1e-8


def energy(theta):
    return expval(rotate(basis(len(theta), 4, 1), matrix(2, Y=[0], X=[1]), theta), molecule(*STO))


theta = torch.zeros(1)
hartree_fock = energy(theta).item()
for _ in range(200):
    theta = theta - 0.4 * (energy(theta + math.pi / 2) - energy(theta - math.pi / 2)) / 2
reached = energy(theta).item()
print(f"H2: one angle {reached:.12f}, exact {E0:.12f}, with the nuclei {E0 + NUCLEAR:.12f}, angle {theta.item():.6f}")
assert abs(reached - E0) < 1e-10
assert abs(reached + NUCLEAR + 1.1373060358) < 1e-8
assert abs(hartree_fock + NUCLEAR + 1.1169989968) < 1e-9
assert not hartree_fock - E0 < 1e-8


def ansatz(alpha):
    psi = basis(len(alpha), 4, 0)
    for layer in alpha.unbind(1):
        for k in range(2):
            for name, angle in zip("YZX", layer[:, k].unbind(1)):
                psi = rotate(psi, matrix(2, **{name: [k]}), angle)
        psi = psi[:, [0, 3, 2, 1]]  # CNOT, qubit 0 controls
    return psi


for constants, lowest in (STO, E0), (OMALLEY, M0):
    hamiltonian = molecule(*constants)
    alpha = (2 * math.pi * torch.rand(10, 2, 2, 3)).requires_grad_(True)
    adam = torch.optim.Adam([alpha], lr=0.1)
    for _ in range(300):
        adam.zero_grad()
        expval(ansatz(alpha), hamiltonian).sum().backward()
        adam.step()
    lbfgs([alpha], lambda: expval(ansatz(alpha), hamiltonian).sum(), 300)
    above = expval(ansatz(alpha), hamiltonian).detach() - lowest
    print("random starts: from", above.min().item(), "to", above.max().item(), "above the ground state")
    assert above.max() < 1e-8
    assert above.min() > -1e-12


# Rings and chains of spins in a transverse field.
def bonds(n, pairs):
    return sum(matrix(n, Z=pair) for pair in pairs)


def field(n):
    return sum(matrix(n, X=[k]) for k in range(n))


def ring(n):
    return [[k, (k + 1) % n] for k in range(n)]


def ring_energy(n):
    momenta = (2 * torch.arange(n) + 1) * math.pi / n
    return -(J**2 + H**2 + 2 * J * H * momenta.cos()).sqrt().sum().item()


n = 6
chain_energy = -torch.linalg.svdvals(H * torch.eye(n) + J * torch.diag(torch.ones(n - 1), -1)).sum().item()
chain = -J * bonds(n, ring(n)[:-1]) - H * field(n)
print(f"chain of {n}: {chain_energy:.10f}")
assert abs(torch.linalg.eigvalsh(chain)[0] - chain_energy) < 1e-10
assert abs(chain_energy - J * (1 - 1 / math.sin(math.pi / (4 * n + 2)))) < 1e-10
assert abs(torch.linalg.eigvalsh(-J * bonds(n, ring(n)) - H * field(n))[0] - ring_energy(n)) < 1e-10
assert abs(ring_energy(n) + 2 * J / math.sin(math.pi / (2 * n))) < 1e-10


class Ring:
    def __init__(self, n):
        self.n, self.bonds, self.flips = n, bonds(n, ring(n)), [matrix(n, X=[k]) for k in range(n)]
        self.hamiltonian = -J * self.bonds - H * sum(self.flips)

    def energy(self, angles):
        psi = torch.full((1, 2**self.n), 2 ** (-self.n / 2), dtype=torch.complex128)
        for gamma, beta in angles:
            psi = torch.exp(1j * gamma * self.bonds.diagonal()) * psi
            for flip in self.flips:
                psi = rotate(psi, flip, -2 * beta[None])
        return expval(psi, self.hamiltonian)[0]


rings = [Ring(n) for n in (4, 6, 8)]
for short in range(3):
    for seed in range(3):
        angles = [(0.5 * torch.rand(r.n // 2 - short, 2)).requires_grad_(True) for r in rings]
        lbfgs(angles, lambda: sum(r.energy(a) for r, a in zip(rings, angles)), 1000)
        energies = [r.energy(a).item() for r, a in zip(rings, angles)]
        worst = max(abs(e / ring_energy(r.n) - 1) for r, e in zip(rings, energies))
        print(f"layers n/2 - {short}: largest relative error of 4, 6, 8 spins {worst}")
        if short == 0:
            assert worst < 1e-8
        if short == 1:
            assert not worst < 1e-8
            assert max(abs(e + 2 * J / math.tan(math.pi / (2 * r.n))) for r, e in zip(rings, energies)) < 1e-6
