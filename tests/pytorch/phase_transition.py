# The strength of weight decay is a temperature: the experiment of examples/phase_transition.pnn.
import math
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
LONG, REST, HIDDEN, INPUTS, ETA, KAPPA, PLACES = 30000, 15000, 8, 6, 0.1, 2.0, 64
S = torch.tensor([1.0, 0.5, 0.25])


def descend(parameters, loss, eta, steps, least=0):
    for _ in range(steps):
        gradient = torch.autograd.grad(loss(), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradient):
                p -= eta * g
        if sum(g.square().sum() for g in gradient) < least**2:
            break


def lbfgs(parameters, loss, steps):
    optimizer = torch.optim.LBFGS(parameters, max_iter=steps, max_eval=2 * steps, history_size=50,
                                  tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


# The Hessian of silence.
x = torch.randn(100, INPUTS)
x = 0.3 * torch.arange(INPUTS) + (1 + 0.2 * torch.arange(INPUTS)) * x + 0.5 * x[:, :1]
y = torch.sin(x[:, :3]) + x[:, :1] * x[:, 1:2] + torch.randn(100, 3)
lam = 0.7


def silent(theta):
    W1, W2 = theta[:HIDDEN * INPUTS].reshape(HIDDEN, INPUTS), theta[HIDDEN * INPUTS:].reshape(3, HIDDEN)
    return (torch.tanh(x @ W1.T) @ W2.T - y).square().sum(1).mean() / 2 + lam / 2 * theta.square().sum()


size = HIDDEN * (INPUTS + 3)
spectrum = torch.linalg.eigvalsh(torch.autograd.functional.hessian(silent, torch.zeros(size)))
sigma = torch.linalg.svdvals(y.T @ x / len(x)).repeat(HIDDEN)
due = lam + torch.cat([-sigma, torch.zeros(size - 2 * len(sigma)), sigma]).sort().values
assert (spectrum - due).abs().max() < 1e-12
assert not (spectrum - due - 0.1).abs().max() < 1e-12

# The linear net.
u = 2.0 * (torch.arange(2**INPUTS)[:, None] >> torch.arange(INPUTS) & 1) - 1
U, V = torch.linalg.qr(torch.randn(3, 3))[0], torch.linalg.qr(torch.randn(INPUTS, 3))[0]
target = u @ V @ torch.diag(S) @ U.T


def start(scale=1.0):
    torch.manual_seed(0)
    return [(0.01 * scale * torch.randn(shape)).requires_grad_(True) for shape in ((HIDDEN, INPUTS), (3, HIDDEN))]


def error():
    return (u @ W[0].T @ W[1].T - target).square().sum(1).mean() / 2


def decay():
    return W[0].square().sum() + W[1].square().sum()


def linear():
    return error() + lam / 2 * decay()


for lam in 0.05, 0.1, 0.2, 0.23, 0.3, 0.4, 0.47, 0.53, 0.6, 0.7, 0.8, 0.9, 0.97, 1.03, 1.2, 1.5, 3:
    W = start()
    descend(W, linear, min(0.1, 0.5 / lam), LONG, 1e-13)
    with torch.no_grad():
        left, product = (S - lam).clamp(min=0), W[1] @ W[0]
        assert (torch.linalg.svdvals(product) - left).abs().max() < 1e-6
        assert (U.T @ product @ V - torch.diag(left)).abs().max() < 1e-6
        assert abs(W[0].square().sum() - left.sum()) < 1e-6
        assert abs(W[1].square().sum() - W[0].square().sum()) < 1e-6
        assert abs(linear() - (S**2 - left**2).sum() / 2) < 1e-8
        assert (W[0] @ W[0].T - W[1].T @ W[1]).abs().max() < 1e-8

below, amount, W = 0.9 + 0.01 * np.arange(10), [], start()
for lam in below:
    descend(W, linear, ETA, LONG, 1e-13)
    amount.append(W[0].square().sum().item())
slope, offset = np.polyfit(below, amount, 1)
assert abs(-offset / slope - 1) < 1e-4
exponent = np.polyfit(np.log(1 - below), np.log(amount) / 2, 1)[0]
print("exponent of the linear net:", exponent)
assert abs(exponent - 0.5) < 5e-4

for lam in 0.7, 0.9, 1.1, 1.5:
    W = start(1e-10)
    descend(W, linear, ETA, 500)
    begun = W[0].square().sum().item()
    descend(W, linear, ETA, 100)
    growth = ((W[0].square().sum().item() / begun) ** (1 / 200) - 1) / ETA
    print("λ =", lam, "rate of growth", growth, "theory", 1 - lam)
    assert abs(growth - (1 - lam)) < 1e-4

W, lam = start(), 0.7
descend(W, lambda: error() + lam * decay(), ETA, 3000)
assert not abs(W[0].square().sum() - (S - lam).clamp(min=0).sum()) < 1e-2
assert W[0].square().sum() < 1e-12

# A net of tanh, annealed.
x = -2 + 4 * (torch.arange(PLACES) + 0.5) / PLACES
y = torch.tanh(KAPPA * x)
kick = 1e-4 * torch.cos(torch.arange(HIDDEN) + 1.0)
critical = (y * x).mean().item()


def curved(a, b):
    return (torch.tanh(x[:, None] * a) @ b - y).square().mean() / 2 + lam / 2 * (a.square().sum() + b.square().sum())


zero, I = torch.zeros(HIDDEN), torch.eye(HIDDEN)
(Haa, Hab), (_, Hbb) = torch.autograd.functional.hessian(curved, (zero, zero))
assert (Hab + critical * I).abs().max() < 1e-12
assert ((Haa - lam * I).abs() + (Hbb - lam * I).abs()).max() < 1e-12

k = np.arange(61)
place = np.where(k < 15, 20 * (1.2 / 20) ** (k / 15),
                 np.where(k <= 45, 1.15 - 0.01 * (k - 15), 0.85 * (0.02 / 0.85) ** ((k - 45) / 15)))
torch.manual_seed(0)
a, b = (0.1 * torch.randn(2, HIDDEN)).unbind(0)


def anneal(order):
    """|W₁|, the number of neurons that are not silent and the mean |h| at each place."""
    global lam
    size, alive, active = np.zeros((3, len(place)))
    for k in order:
        lam = place[k] * critical
        for p in a, b:
            p.requires_grad_(False).add_(kick).requires_grad_(True)
        descend((a, b), lambda: curved(a, b), min(0.2, 0.3 / lam), REST, 1e-12)
        lbfgs((a, b), lambda: curved(a, b), 1000)
        size[k], alive[k] = a.norm().item(), (a.abs() > 1e-3).sum().item()
        active[k] = torch.tanh(x[:, None] * a).abs().mean().item()
    return size, alive, active


down, alive_down, active = anneal(range(61))
up, alive_up, _ = anneal(reversed(range(61)))
peak = 1 + (np.diff(down) / np.log(place[:-1] / place[1:])).argmax()
close = (place > 0.94) & (place < 0.995)
slope, offset = np.polyfit(place[close], down[close] ** 2, 1)
close = (1 - place > 0.005) & (1 - place < 0.105)
beta = np.polyfit(np.log(1 - place[close]), np.log(down[close]), 1)[0]
print("tanh: λ_c =", critical, "steepest in", place[peak], place[peak - 1], "line through", -offset / slope,
      "exponent", beta)
print("mean |h| at 0.9 λ_c:", active[40], "at 1.05 λ_c:", active[25])
assert abs(math.sqrt(place[peak] * place[peak - 1]) - 1) < 0.015
assert abs(-offset / slope - 1) < 5e-3
assert abs(beta - 0.5) < 0.01
assert not abs(beta - 1) < 0.01
assert max(active[25], down[25]) < 1e-6
apart = np.where(abs(place - 1) > 0.03, abs(up - down), 0)
assert apart[place > 0.2].max() < 1e-3
assert apart[alive_down == alive_up].max() < 1e-3
assert abs(active[40] - 0.089) < 3e-3

# One hidden neuron, y = x, E x² = 1.
z = torch.linspace(-1, 1, PLACES)
z = z / z.square().mean().sqrt()
v, w = torch.tensor(0.5, requires_grad=True), torch.tensor(0.5, requires_grad=True)


def landau():
    return (v * torch.tanh(w * z) - z).square().mean() / 2 + lam / 2 * (v**2 + w**2)


for lam in 0.99, 0.98, 0.9:
    descend((v, w), landau, 0.2, REST, 1e-12)
    lbfgs((v, w), landau, 100)
    theory = ((1 - lam) / (1 + 2 / 3 * (z**4).mean())).item()
    print("one neuron at λ =", lam, "w² =", w.item() ** 2, "Landau", theory)
    assert abs(w.item() ** 2 / theory - 1) < 1 - lam
assert abs(w.item() ** 2 - 0.0480) < 5e-4
