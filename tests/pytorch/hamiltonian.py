# A pendulum learned from noisy velocities, by its energy and without: the experiment of examples/pinn/hamiltonian.pnn.
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
NOISE, STEPS, DT, LENGTH, WIDTH = 0.01, 2000, 0.05, 2000, 32


def Net(out):
    layers = []
    for a, b in (2, WIDTH), (WIDTH, WIDTH), (WIDTH, out):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
        torch.nn.init.xavier_normal_(layers[-2].weight)
        torch.nn.init.zeros_(layers[-2].bias)
    return torch.nn.Sequential(*layers[:-1])


def hamilton(H):
    def field(y):
        if not y.requires_grad:
            y = y.detach().requires_grad_(True)
        q, p = torch.autograd.grad(H(y).sum(), y, create_graph=True)[0].unbind(1)
        return torch.stack([p, -q], 1)

    return field


def energy(y):
    return y[:, 1] ** 2 / 2 + 1 - torch.cos(y[:, 0])


def swing(y):
    return torch.stack([y[:, 1], -torch.sin(y[:, 0])], 1)


def divergence(field, y):
    y = y.detach().requires_grad_(True)
    v = field(y)
    return sum(torch.autograd.grad(v[:, k].sum(), y, retain_graph=True)[0][:, k] for k in range(2))


def miss(field):
    return (field(y) - v).square().sum(1).mean()


def train(net, field):
    adam = torch.optim.Adam(net.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    for _ in range(STEPS):
        adam.zero_grad()
        miss(field).backward()
        adam.step()
        schedule.step()


def path(field):
    """By Runge and Kutta from all starts at once."""
    y = [START]
    for _ in range(LENGTH):
        k1 = field(y[-1]).detach()
        k2 = field(y[-1] + DT / 2 * k1).detach()
        k3 = field(y[-1] + DT / 2 * k2).detach()
        k4 = field(y[-1] + DT * k3).detach()
        y.append(y[-1] + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return torch.stack(y)


@torch.no_grad()
def drift(path, K):
    """How far a quantity goes from its first value."""
    values = K(path.flatten(0, 1)).reshape(path.shape[:2])
    return (values - values[0]).abs().max(0).values


START = torch.tensor([[1, 0], [0.5, 0.8], [1.5, 0]])
q, s = 2.2 * (2 * torch.rand(500) - 1), 2 * torch.rand(500) - 1
y = torch.stack([q, s * (2 * (0.6 + torch.cos(q)).clamp(min=0)).sqrt()], 1)
v = swing(y) + NOISE * torch.randn(500, 2)
place = (2 * torch.rand(100, 2) - 1) * torch.tensor([2.0, 1.0])
assert (hamilton(energy)(place) - swing(place)).abs().max() < 1e-12

net_h, net_g = Net(1), Net(2)


def H(y):
    return net_h(y)[:, 0]


learned, plain = hamilton(H), net_g
for trained in False, True:
    if trained:
        train(net_h, learned)
        train(net_g, plain)
    assert divergence(learned, place).abs().max() < 1e-12
    assert not (divergence(plain, place).abs() < 1e-12).any()
print("mean square of the misfit:", miss(learned).item(), "plain", miss(plain).item(), "noise alone", 2 * NOISE**2)

true, own, other = path(swing), path(learned), path(plain)
print("drift of the true energy: true field", drift(true, energy).tolist(), "learned energy",
      drift(own, energy).tolist(), "plain", drift(other, energy).tolist())
print("distance from the true path: learned energy", (own - true).square().sum(2).mean(0).sqrt().tolist(), "plain",
      (other - true).square().sum(2).mean(0).sqrt().tolist())
assert drift(own, H).max() < 1e-5
assert (drift(other, energy) > drift(own, energy)).all()
worst, worst_plain = drift(own, energy).max(), drift(other, energy).max()
assert worst_plain / worst > 5
assert worst < 2e-2
assert not worst_plain < 1e-2
