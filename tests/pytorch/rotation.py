# What a net can know about angles at which it has seen nothing: the experiment of examples/rotation.pnn.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
R, WIDTH, MU, WHOLE, PART, STEPS, N = 2.0, math.pi / 8, 1.0, 8, 4, 5000, 400


class Net(torch.nn.Module):
    def __init__(self, features, size, width=32):
        super().__init__()
        self.features = features
        self.hidden = torch.nn.ModuleList([torch.nn.Linear(size, width), torch.nn.Linear(width, width)])
        self.readout = torch.nn.Linear(width, 1)
        for layer in self.hidden:
            torch.nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            torch.nn.init.normal_(layer.bias)
        torch.nn.init.xavier_normal_(self.readout.weight)
        torch.nn.init.zeros_(self.readout.bias)

    def forward(self, p):
        v = self.features(p)
        for layer in self.hidden:
            v = torch.tanh(layer(v))
        return self.readout(v)[:, 0]


class Cyclic(torch.nn.Module):
    def __init__(self, net, k):
        super().__init__()
        self.net, self.k = net, k

    def forward(self, p):
        turned = torch.cat([rotate(p, 2 * math.pi * j / self.k) for j in range(self.k)])
        return self.net(turned).reshape(self.k, -1).mean(0)


def rotate(p, a):
    c, s = math.cos(a), math.sin(a)
    return p @ torch.tensor([[c, s], [-s, c]])


def radius(p):
    return p.norm(dim=1, keepdim=True)


def target(p):
    return torch.exp(-p.square().sum(1)) * torch.cos(3 * radius(p)[:, 0])


def lie(f, p):
    p = p.detach().requires_grad_(True)
    gx, gy = torch.autograd.grad(f(p).sum(), p, create_graph=True)[0].unbind(1)
    return p[:, 0] * gy - p[:, 1] * gx


def polar(u, angle):
    r = R * u.sqrt()
    return torch.stack([r * angle.cos(), r * angle.sin()], 1)


def sobol(n, half):
    u, phi = torch.quasirandom.SobolEngine(2, scramble=True, seed=1).draw(n, dtype=torch.float64).unbind(1)
    return polar(u, half * (2 * phi - 1))


def mse(f, p):
    return (f(p) - target(p)).square().mean()


sector = polar(torch.rand(N), WIDTH * (2 * torch.rand(N) - 1))
asked = polar(torch.rand(512), math.pi * (2 * torch.rand(512) - 1))
inside, disc = sobol(2000, WIDTH), sobol(4000, math.pi)
nets = torch.nn.ModuleDict({
    "cart": Net(lambda p: p, 2),
    "rad": Net(radius, 1),
    "rad2": Net(lambda p: p.square().sum(1, keepdim=True), 1),
    "whole": Cyclic(Net(lambda p: p, 2), WHOLE),
    "part": Cyclic(Net(lambda p: p, 2), PART),
    "penalty": Net(lambda p: p, 2),
})

p = R * (2 * torch.rand(100, 2) - 1)
x, y = p.unbind(1)
assert (lie(lambda p: p[:, 0] ** 2 * p[:, 1], p) - (x**3 - 2 * x * y**2)).abs().max() < 1e-12
assert lie(target, p).abs().max() < 1e-12
assert lie(nets["rad"], torch.zeros(1, 2)).abs() < 1e-13


def identities():
    for a in 2 * math.pi * torch.rand(10):
        assert (nets["rad"](rotate(p, a)) - nets["rad"](p)).abs().max() < 1e-13
    assert max(lie(nets["rad"], p).abs().max(), lie(nets["rad2"], p).abs().max()) < 1e-13
    for net in nets["whole"], nets["part"]:
        assert (net(rotate(p, 2 * math.pi / net.k)) - net(p)).abs().max() < 1e-13


identities()
adam = torch.optim.Adam(nets.parameters(), lr=1e-2)
schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: 0.01 ** max(2 * k / STEPS - 1, 0))
for _ in range(STEPS):
    adam.zero_grad()
    loss = sum(mse(net, sector) for net in nets.values()) + MU * lie(nets["penalty"], asked).square().mean()
    loss.backward()
    adam.step()
    schedule.step()
identities()

near = {name: mse(net, inside).item() for name, net in nets.items()}
far = {name: mse(net, disc).item() for name, net in nets.items()}
variance = target(disc).var(unbiased=False).item()
print("in the sector", near)
print("on the disc", far, "variance", variance)
assert near["cart"] < 5e-4
assert near["rad"] < 2e-5 and far["rad"] < 2e-5
assert 0.4 < far["rad"] / near["rad"] < 2.5
assert lie(nets["rad"], disc).square().mean() < 1e-26
assert far["cart"] / variance > 5
assert not far["cart"] < variance
assert far["cart"] / far["rad"] > 1e4
assert far["cart"] / far["penalty"] > 50
assert 0.5 < far["whole"] / near["whole"] < 2
assert far["part"] / near["part"] > 10
assert not far["part"] / near["part"] < 2

angles = 2 * math.pi * torch.arange(64) / 64
ring = 0.6 * R * torch.stack([angles.cos(), angles.sin()], 1)
m = torch.arange(1, 33)
c = {name: torch.fft.fft(net(ring))[m].abs() / 64 for name, net in nets.items()}
assert c["rad"].max() < 1e-14
assert c["whole"][m % WHOLE != 0].max() < 1e-14
assert c["part"][m % PART != 0].max() < 1e-14
assert not c["cart"][m % WHOLE != 0].max() < 1e-3
