# Poisson's equation with hard and with soft boundary values: the experiment of examples/pinn/poisson.pnn.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
ROUGH, FINE, INNER, RIM, W = 500, 500, 1024, 50, 100


class Net(torch.nn.Module):
    def __init__(self, width=32):
        super().__init__()
        sizes = [2, width, width, width, 1]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        for layer in self.layers:
            torch.nn.init.xavier_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, p):
        for layer in self.layers[:-1]:
            p = torch.tanh(layer(p))
        return self.layers[-1](p)[:, 0]


def exact(p):
    return torch.sin(math.pi * p[:, 0]) * torch.sin(math.pi * p[:, 1])


def source(p):
    return 2 * math.pi**2 * exact(p)


def laplacian(f, p):
    p = p.detach().requires_grad_(True)
    first = torch.autograd.grad(f(p).sum(), p, create_graph=True)[0]
    second = 0
    for k in range(2):
        second = second + torch.autograd.grad(first[:, k].sum(), p, create_graph=True)[0][:, k]
    return second


inner = torch.quasirandom.SobolEngine(2, scramble=True, seed=0).draw(INNER, dtype=torch.float64)
s = torch.rand(RIM)
zero, one = torch.zeros(RIM), torch.ones(RIM)
rim = torch.cat([torch.stack(q, 1) for q in ((zero, s), (one, s), (s, zero), (s, one))])
line = torch.linspace(0, 1, 51)
grid = torch.cartesian_prod(line, line)
net_u, net_v = Net(), Net()


def u(p):
    x, y = p[:, 0], p[:, 1]
    return x * (1 - x) * y * (1 - y) * net_u(p)


def pde(f):
    return (laplacian(f, inner) + source(inner)).square().mean()


def edge():
    return net_v(rim).square().mean()


@torch.no_grad()
def error(f):
    return ((f(grid) - exact(grid)).square().mean() / exact(grid).square().mean()).sqrt().item()


def train(net, loss, rough, fine):
    adam = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(rough):
        adam.zero_grad()
        loss().backward()
        adam.step()
    lbfgs = torch.optim.LBFGS(net.parameters(), max_iter=fine, history_size=50, tolerance_grad=1e-9,
                              tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        lbfgs.zero_grad()
        value = loss()
        value.backward()
        return value

    lbfgs.step(closure)


def second_x(p):
    p = p.detach().requires_grad_(True)
    first = torch.autograd.grad(net_u(p).sum(), p, create_graph=True)[0]
    return torch.autograd.grad(first[:, 0].sum(), p)[0][:, 0]


with torch.no_grad():
    d = torch.tensor([1e-3, 0])
    near = (16 * (net_u(grid + d) + net_u(grid - d)) - net_u(grid + 2 * d) - net_u(grid - 2 * d) - 30 * net_u(grid)) / 12e-6
assert ((second_x(grid) - near).square().mean() / second_x(grid).square().mean()).sqrt() < 1e-6
assert u(rim).abs().max() < 1e-15
assert not edge().sqrt() < 1e-3
train(net_u, lambda: pde(u), ROUGH, FINE)
train(net_v, lambda: pde(net_v) + W * edge(), ROUGH, 2 * FINE)
print("relative L2 error, hard:", error(u), "soft:", error(net_v))
assert error(u) < 1e-4
assert error(net_v) < 2e-3
net_v = Net()
train(net_v, lambda: pde(net_v), ROUGH, FINE)
print("without boundary values: residual", pde(net_v).sqrt().item(), "error", error(net_v))
assert pde(net_v) < 1e-2
assert not error(net_v) < 2e-3
