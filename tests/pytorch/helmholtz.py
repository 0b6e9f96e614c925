# Helmholtz' equation on the unit square: the experiment of examples/pinn/helmholtz.pnn.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
WAVES, ROUGH, FINE, SIDE, WIDTH = 2, 500, 2000, 20, 64
K = 2 * math.pi * WAVES


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [2, WIDTH, WIDTH, WIDTH, 1]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        for layer in self.layers:
            torch.nn.init.xavier_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, p):
        p = K * p / 4
        for layer in self.layers[:-1]:
            p = torch.sin(layer(p))
        return self.layers[-1](p)[:, 0]


def exact(p):
    return torch.sin(K * p).prod(1)


def u(p):
    return (p * (1 - p)).prod(1) * net(p)


def residual(f, p):
    p = p.detach().requires_grad_(True)
    value = f(p)
    first = torch.autograd.grad(value.sum(), p, create_graph=True)[0]
    second = [torch.autograd.grad(first[:, k].sum(), p, create_graph=True)[0][:, k] for k in range(2)]
    return -sum(second) - K**2 * (value + exact(p))


def pde():
    return residual(u, inner).square().mean()


@torch.no_grad()
def error():
    return ((u(grid) - exact(grid)).square().mean() / exact(grid).square().mean()).sqrt().item()


inner = torch.quasirandom.SobolEngine(2, scramble=True, seed=0).draw(SIDE**2, dtype=torch.float64)
line = torch.linspace(0, 1, 51)
grid = torch.cartesian_prod(line, line)
net = Net()
assert residual(exact, inner).abs().max() < 1e-9
assert u(torch.stack([torch.zeros(51), line], 1)).abs().max() < 1e-15
assert u(torch.stack([line, torch.ones(51)], 1)).abs().max() < 1e-15

start = pde().item()
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
for _ in range(ROUGH):
    adam.zero_grad()
    pde().backward()
    adam.step()
print("after Adam: residual", math.sqrt(pde() / start), "of the first, relative L2 error", error())
assert not error() < 5e-2
lbfgs = torch.optim.LBFGS(net.parameters(), max_iter=FINE, max_eval=2 * FINE, history_size=50, tolerance_grad=1e-9,
                          tolerance_change=0, line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    loss = pde()
    loss.backward()
    return loss


lbfgs.step(closure)
print("after L-BFGS: residual", math.sqrt(pde() / start), "of the first, relative L2 error", error())
assert error() < 5e-2
