# Derivatives of quantum circuits by the parameter-shift rule: the experiment of examples/quantum/gradient.pnn.
# States are of shape (batch, 2^n); qubit k is bit k of the index.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
LAYERS, WIRES, SEEDS, GAMMA, BETA = 2, 6, 3, 0.4, 0.9
PAULI = {
    "X": torch.tensor([[0, 1], [1, 0]], dtype=torch.complex128),
    "Y": torch.tensor([[0, -1j], [1j, 0]], dtype=torch.complex128),
    "Z": torch.tensor([[1, 0], [0, -1]], dtype=torch.complex128),
}


def apply(gate, psi, k):
    cut = psi.reshape(len(psi), -1, 2, 2**k)
    return torch.einsum("...ij,...ajc->...aic", gate, cut).reshape(psi.shape)


def pauli(string):
    def act(psi):
        for name, k in string:
            psi = apply(PAULI[name], psi, k)
        return psi

    return act


def rotate(psi, operator, angle):
    return torch.cos(angle / 2)[:, None] * psi - 1j * torch.sin(angle / 2)[:, None] * operator(psi)


def turn(psi, name, k, angle):
    return rotate(psi, pauli([(name, k)]), angle)


def expval(psi, operator):
    return (psi.conj() * operator(psi)).sum(1).real


def zeros(batch, n):
    psi = torch.zeros(batch, 2**n, dtype=torch.complex128)
    psi[:, 0] = 1
    return psi


def cnot(psi, control, target):
    m = torch.arange(psi.shape[1])
    return psi[:, m ^ ((m >> control & 1) << target)]


def cz(psi, a, b):
    m = torch.arange(psi.shape[1])
    return (1 - 2 * (m >> a & m >> b & 1)) * psi


def state(theta, n):
    psi = zeros(len(theta), n)
    for layer in range(LAYERS):
        for k in range(n):
            for name, angle in zip("YZX", theta[:, layer, k].unbind(1)):
                psi = turn(psi, name, k, angle)
        for k in range(n - 1):
            psi = (cz if layer % 2 else cnot)(psi, k, k + 1)
    return psi


def f(theta, n):
    def observed(psi):
        return pauli([("X", n - 1), ("Z", 0)])(psi) + 0.5 * pauli([("Z", n - 1)])(psi)

    return expval(state(theta, n), observed)


def backprop(theta, n):
    theta = theta.detach().requires_grad_(True)
    return torch.autograd.grad(f(theta, n).sum(), theta)[0]


def quotient(theta, n, s, over):
    shifts = s * torch.eye(theta[0].numel()).reshape(-1, *theta[0].shape)
    return torch.stack([(f(a + shifts, n) - f(a - shifts, n)) / over for a in theta]).reshape(theta.shape)


def f1(angle):
    return expval(turn(zeros(len(angle), 1), "Y", 0, angle), pauli([("Z", 0)]))


angle = 14 * torch.rand(100) - 7
assert (f1(angle) - angle.cos()).abs().max() < 1e-14
for s in 0.3, 1.1:
    assert ((f1(angle + s) - f1(angle - s)) / (2 * math.sin(s)) + angle.sin()).abs().max() < 2e-15

theta = 2 * math.pi * torch.rand(SEEDS, LAYERS, WIRES, 3)
for n in range(1, WIRES + 1):
    a = theta[:, :, :n]
    exact = backprop(a, n)

    def apart(s, over):
        return (quotient(a, n, s, over) - exact).abs().max().item()

    rule, step, wrong = apart(math.pi / 2, 2), apart(1e-6, 2e-6), apart(math.pi / 4, 2)
    print(n, "qubits: |shift - backprop|", rule, "central differences", step, "wrong by", wrong)
    assert rule < 1e-12
    assert step < 1e-8
    assert (state(a, n).abs().square().sum(1).sqrt() - 1).abs().max() < 1e-12
    assert not wrong < 1e-12
    assert abs(wrong - (1 - math.sin(math.pi / 4)) * exact.abs().max()) < 1e-12
    assert max(apart(s, 2 * math.sin(s)) for s in (0.3, 1.1)) < 1e-14


# Angles that several gates share: two bonds and three fields of an open chain.
def chain(psi):
    terms = [("Z", 0), ("Z", 1)], [("Z", 1), ("Z", 2)], [("X", 0)], [("X", 1)], [("X", 2)]
    return -sum(pauli(term)(psi) for term in terms)


def of_gates(a):
    psi = torch.full((len(a), 8), 8**-0.5, dtype=torch.complex128)
    for k in range(2):
        psi = rotate(psi, pauli([("Z", k), ("Z", k + 1)]), a[:, k])
    for k in range(3):
        psi = turn(psi, "X", k, a[:, 2 + k])
    return expval(psi, chain)


def g(x, y):
    return of_gates(torch.stack([x, x, y, y, y], 1))


class ByGates(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return g(x, y)

    @staticmethod
    def backward(ctx, out):
        x, y = ctx.saved_tensors
        a = torch.stack([x, x, y, y, y], 1)
        each = [(of_gates(a + d) - of_gates(a - d)) / 2 for d in math.pi / 2 * torch.eye(5)]
        return out * (each[0] + each[1]), out * (each[2] + each[3] + each[4])


def slope(function, x, y):
    x, y = x.detach().requires_grad_(True), y.detach().requires_grad_(True)
    return torch.stack(torch.autograd.grad(function(x, y).sum(), (x, y)))


x, y = 6 * torch.rand(2, 100) - 3
assert (slope(ByGates.apply, x, y) - slope(g, x, y)).abs().max() < 1e-12
x, y, quarter = torch.tensor([GAMMA]), torch.tensor([BETA]), math.pi / 2
true = slope(g, x, y)[:, 0]
whole = torch.cat([g(x + quarter, y) - g(x - quarter, y), g(x, y + quarter) - g(x, y - quarter)]) / 2
print("shared angles: derivatives", true.tolist(), "both shifted as a whole", whole.tolist())
assert not (whole - true).abs().max() < 1e-2
assert (true - torch.tensor([-0.0793, 0.3399])).abs().max() < 1e-4
assert (whole - torch.tensor([-0.1181, 0])).abs().max() < 1e-4
