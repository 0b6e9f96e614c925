# Two identical neurons, and a perturbation of 1e-12 that tells them apart: the experiment of examples/symmetry_breaking.pnn.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
STEPS, EPS, S1, S2, ETA, P, TURN = 4000, 1e-12, 1.0, 0.5, 0.05, 67, 0.4


def descend(parameters, loss, eta, steps=STEPS, until=lambda: False, least=0):
    """Gradient descent until a condition holds or the gradient is less than `least`; the number of steps."""
    for step in range(1, steps + 1):
        gradient = torch.autograd.grad(loss(), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradient):
                p -= eta * g
        if until() or torch.stack([g.norm() for g in gradient]).norm() < least:
            return step
    return steps


def shift(rate):
    return math.log(1e3) / math.log(1 + rate)


# A linear net.
phase = 2 * math.pi * torch.arange(P) / P
u = math.sqrt(2) * torch.stack([phase.cos(), phase.sin()], 1)
turned = torch.tensor([[math.cos(TURN), -math.sin(TURN)], [math.sin(TURN), math.cos(TURN)]])
y = u @ (turned @ torch.diag(torch.tensor([S1, S2]))).T


def start(neurons=2, equal=True, eps=0.0):
    torch.manual_seed(0)
    w, a = 0.3 * torch.randn(neurons, 2), 0.3 * torch.randn(2, neurons)
    if equal:
        w[-1], a[:, -1] = w[0], a[:, 0]
    w[-1, 0] += eps
    return w.requires_grad_(True), a.requires_grad_(True)


def cost(w, a, u, y):
    return (u @ w.T @ a.T - y).square().sum(1).mean() / 2


def loss():
    return cost(w, a, u, y)


def delta():
    return math.sqrt((w[0] - w[-1]).square().sum() + (a[:, 0] - a[:, -1]).square().sum()) / math.sqrt(2)


for neurons in 2, 5:
    w, a = start(neurons)
    assert descend((w, a), loss, ETA, until=lambda: delta() > 0) == STEPS
    assert delta() == 0
    if neurons == 2:
        print("symmetric: loss", loss().item(), "theory", S2**2 / 2)
        assert abs(loss() - S2**2 / 2) < 1e-10

passed, drop, rate = [], [], []
for k in range(3):
    eps = EPS * 1e3**k
    w, a = start(eps=eps)
    early = descend((w, a), loss, ETA, until=lambda: delta() > 1e3 * eps)
    first = delta()
    middle = descend((w, a), loss, ETA, until=lambda: delta() > 1e6 * EPS)
    if k == 0:
        assert abs(loss() - S2**2 / 2) < 1e-6
    late = descend((w, a), loss, ETA, until=lambda: delta() > 1e-2)
    rate.append(math.exp(math.log(delta() / first) / (middle + late)) - 1)
    passed.append(early + middle + late - math.log(delta() / 1e-2) / math.log(1 + rate[k]))
    drop.append(early + middle + late + descend((w, a), loss, ETA, until=lambda: loss() < S2**2 / 4))
    descend((w, a), loss, ETA)
    assert loss() < 1e-12
print("a thousandfold eps:", passed[0] - passed[1], "and", passed[1] - passed[2], "steps, theory", shift(ETA * S2))
assert max(abs(r / ETA / S2 - 1) for r in rate) < 5e-3
assert abs(passed[0] - passed[1] - shift(ETA * S2)) < 0.1
assert abs(passed[1] - passed[2] - shift(ETA * S2)) < 0.1
assert not abs(passed[0] - passed[1] - shift(ETA * S1)) < 0.1
assert abs(drop[0] - 1100) < 200
w, a = start(equal=False)
different = descend((w, a), loss, ETA, until=lambda: loss() < S2**2 / 4)
print("half the plateau's loss after", drop[0], "steps, from different neurons after", different)
assert different < drop[0] / 2


# The gradient of the other neuron is summed over the inputs in the opposite order.
def reordered():
    wd, ad = w.detach(), a.detach()
    forth = cost(torch.stack([w[0], wd[1]]), torch.stack([a[:, 0], ad[:, 1]], 1), u, y)
    return forth + cost(torch.stack([wd[0], w[1]]), torch.stack([ad[:, 0], a[:, 1]], 1), u.flip(0), y.flip(0))


w, a = start()
rounding = descend((w, a), reordered, ETA, until=lambda: delta() > 0)
print("another order of summation: delta", delta(), "after", rounding, "steps")
assert delta() < 1e-15
unseen = descend((w, a), reordered, ETA, until=lambda: delta() > 1e-9)
first = delta()
seen = descend((w, a), reordered, ETA, until=lambda: delta() > 1e-4)
growth = (math.exp(math.log(delta() / first) / seen) - 1) / ETA
total = rounding + unseen + seen + descend((w, a), reordered, ETA, until=lambda: loss() < S2**2 / 4)
print("it grows at the rate", growth, "and is seen after", total, "steps")
assert delta() > 1e-4
assert abs(growth / S2 - 1) < 1e-2
assert 0.8 < total * math.log(1 + ETA * S2) / math.log(2**53) < 1.25
assert total > drop[0]

# A net of tanh: the rate from its Hessian.
KAPPA, ETA_TANH, SADDLE = 2.0, 0.2, 20000
v = torch.randn(256, 2)


def unit(q):
    return q[2] * torch.tanh(v @ q[:2])


def gap(theta):
    return unit(theta[0]) + unit(theta[1]) - torch.tanh(KAPPA * v).sum(1)


def smooth(theta):
    return gap(theta).square().mean() / 2


def distance():
    return math.sqrt((theta[0] - theta[1]).square().sum() / 2)


theta = (0.5 * torch.randn(3)).repeat(2, 1).requires_grad_(True)
descend([theta], lambda: smooth(theta), ETA_TANH, SADDLE, least=1e-14)
saddle, plateau = theta.detach().clone(), smooth(theta).item()
error = gap(saddle)
block = torch.autograd.functional.hessian(lambda q: (error * unit(q)).mean(), saddle[0])
full = torch.autograd.functional.hessian(smooth, saddle)
low = torch.linalg.eigvalsh(block)
assert (full[0, :, 0] - full[0, :, 1] - block).abs().max() < 1e-8
assert (torch.linalg.eigvalsh(full.reshape(6, 6)) - low[:, None]).abs().min(1).values.max() < 1e-8
assert block[:, 2].abs().max() < 1e-10
mu = low[0].item()

passed, rate = [], []
for k in range(3):
    eps = EPS * 1e3**k
    theta = saddle[[0, 0]].clone()
    theta[1, 0] += eps
    theta.requires_grad_(True)

    def train(until):
        return descend([theta], lambda: smooth(theta), ETA_TANH, until=until)

    leave = train(lambda: distance() > 1e2 * eps)
    first = distance()
    grow = train(lambda: distance() > 1e4 * eps)
    rate.append(math.exp(math.log(distance() / first) / grow) - 1)
    steps = leave + grow + train(lambda: distance() > 1e-2)
    passed.append(steps - math.log(distance() / 1e-2) / math.log(1 + rate[k]))
    train(lambda: False)
    assert smooth(theta) < plateau / 100
print("tanh: plateau", plateau, "lowest eigenvalue", mu, "measured", -rate[0] / ETA_TANH)
print("a thousandfold eps:", passed[0] - passed[1], "steps, theory", shift(-ETA_TANH * mu))
assert abs(rate[0] / ETA_TANH / -mu - 1) < 1e-3
assert abs(passed[0] - passed[1] - shift(-ETA_TANH * mu)) < 0.1
