# Heat in a rod whose ends are kept at 0: the experiment of examples/pinn/heat.pnn.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
KAPPA, HALF_WAVES, ROUGH, FINE = 0.4, 1, 1000, 1000


def Net(width=20):
    layers = []
    for a, b in (2, width), (width, width), (width, width), (width, 1):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
        torch.nn.init.xavier_normal_(layers[-2].weight)
        torch.nn.init.zeros_(layers[-2].bias)
    return torch.nn.Sequential(*layers[:-1], torch.nn.Flatten(0))


def exact(p):
    x, t = p.unbind(1)
    k = HALF_WAVES * math.pi
    return torch.exp(-(k**2) * KAPPA * t) * torch.sin(k * x)


def gradient(y, p):
    return torch.autograd.grad(y.sum(), p, create_graph=True)[0].unbind(1)


def residual(u, p):
    p = p.detach().requires_grad_(True)
    u_x, u_t = gradient(u(p), p)
    return u_t - KAPPA * gradient(u_x, p)[0]


def sobol(n, dimensions, seed):
    return torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed).draw(n, dtype=torch.float64)


inner, s, x = sobol(1000, 2, 0), sobol(40, 1, 1), sobol(80, 1, 2)
ends = torch.cat([torch.cat([torch.zeros_like(s), s], 1), torch.cat([torch.ones_like(s), s], 1)])
first = torch.cat([x, torch.zeros_like(x)], 1)
line = torch.linspace(0, 1, 51)
grid = torch.cartesian_prod(line, line)


def pde():
    return residual(u, inner).square().mean()


def boundary():
    return u(ends).square().mean()


def initial():
    return (u(first) - exact(first)).square().mean()


@torch.no_grad()
def error():
    return ((u(grid) - exact(grid)).square().mean() / exact(grid).square().mean()).sqrt().item()


def adam(loss):
    optimizer = torch.optim.Adam(u.parameters(), lr=5e-3)
    for _ in range(ROUGH):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()


def lbfgs(loss):
    optimizer = torch.optim.LBFGS(u.parameters(), max_iter=FINE, max_eval=2 * FINE, history_size=50,
                                  tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


assert residual(exact, torch.rand(100, 2)).abs().max() < 1e-9
u = Net()
print("relative L2 error before training:", error())
adam(lambda: pde() + boundary() + initial())
lbfgs(lambda: pde() + boundary() + initial())
print("relative L2 error after training:", error())
assert error() < 1e-2
u = Net()
adam(lambda: pde() + boundary())
print("without initial values: residual", pde().sqrt().item(), "error", error())
assert pde() < 1e-3
assert not error() < 1e-2
