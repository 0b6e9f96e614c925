# Energy levels by Rayleigh's quotient: the experiment of examples/pinn/schroedinger.pnn.
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
ROUGH, FINE, WIDE, COST, WIDTH = 1500, 1000, 8, 20, 24


def Net():
    layers = []
    for a, b in (1, WIDTH), (WIDTH, WIDTH), (WIDTH, 1):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
        torch.nn.init.xavier_normal_(layers[-2].weight)
        torch.nn.init.zeros_(layers[-2].bias)
    return torch.nn.Sequential(*layers[:-1])


def gauss(n, a, b):
    """Places and weights."""
    x, w = np.polynomial.legendre.leggauss(n)
    return torch.tensor((a + b) / 2 + (b - a) / 2 * x)[:, None], torch.tensor((b - a) / 2 * w)[:, None]


def energy(psi, potential, rule):
    x, w = rule
    x = x.detach().requires_grad_(True)
    value = psi(x)
    slope = torch.autograd.grad(value.sum(), x, create_graph=True)[0]
    return (w * (slope**2 / 2 + potential(x) * value**2)).sum() / (w * value**2).sum()


def overlap(f, g):
    x, w = LINE
    f, g = f(x), g(x)
    return (w * f * g).sum() ** 2 / ((w * f**2).sum() * (w * g**2).sum())


def train(net, loss, fine=FINE):
    adam = torch.optim.Adam(net.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, ROUGH)
    for _ in range(ROUGH):
        adam.zero_grad()
        loss().backward()
        adam.step()
        schedule.step()
    if fine == 0:
        return
    lbfgs = torch.optim.LBFGS(net.parameters(), max_iter=fine, max_eval=2 * fine, history_size=50,
                              tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        lbfgs.zero_grad()
        value = loss()
        value.backward()
        return value

    lbfgs.step(closure)


def bounded(net):
    return lambda x: torch.exp(-(x**2) / 4) * net(x)


def even(net):
    return lambda x: torch.exp(-(x**2) / 4) * net(x**2)


def orbital(net):
    return lambda r: r * torch.exp(-r / 2) * net(r)


def spring(x):
    return x**2 / 2


def bell(x):
    return torch.exp(-(x**2) / 2)


LINE, RAY, FEW = gauss(200, -WIDE, WIDE), gauss(200, 0, 5 * WIDE), gauss(20, -WIDE, WIDE)
assert abs(energy(bell, spring, LINE) - 0.5) < 1e-12
assert abs(energy(lambda x: torch.exp(-(x**2) / 4), spring, LINE) - 0.625) < 1e-12 + WIDE * np.exp(-WIDE**2 / 2)
for _ in range(100):
    net = Net()
    for p in net.parameters():
        torch.nn.init.normal_(p)
    assert energy(bounded(net), spring, LINE) >= 0.5

# Higher levels: overlap with the lower ones costs.
levels = []
for k in range(3):
    net = Net()
    psi = bounded(net)
    train(net, lambda: energy(psi, spring, LINE) + COST * sum(overlap(lower, psi) for lower in levels))
    levels.append(psi)
    above = (energy(psi, spring, LINE) - (k + 0.5)).item()
    print("oscillator", k, "above the level:", above)
    if k == 0:
        assert 0 <= above < 1e-6
        assert 1 - overlap(psi, bell) < 1e-6
    else:
        assert abs(above) < 1e-3

systems = (
    ("quartic", bounded, lambda x: x**4, LINE, 0.6679862592, 0, 5e-5),
    ("two wells", even, lambda x: x**4 - 4 * x**2, LINE, -2.1991865054, 0, 5e-5),
    ("hydrogen", orbital, lambda r: -1 / r, RAY, -0.5, -1e-12, 1e-6),
)
for name, form, potential, rule, level, least, most in systems:
    net = Net()
    psi = form(net)
    train(net, lambda: energy(psi, potential, rule))
    above = (energy(psi, potential, rule) - level).item()
    print(name, "above the level:", above)
    assert least <= above < most

# Too few places: the network hides between them.
net = Net()
psi = bounded(net)
train(net, lambda: energy(psi, spring, FEW), fine=0)
print("too few places", energy(psi, spring, FEW).item(), "all places", energy(psi, spring, LINE).item())
assert not energy(psi, spring, FEW) >= 0.5
