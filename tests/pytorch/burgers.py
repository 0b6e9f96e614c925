# Burgers' equation with a shock, initial and boundary values by construction: the experiment of examples/burgers.pnn.
import math
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
NU, ROUGH, FINE, WIDTH = 0.01 / math.pi, 1000, 2000, 20

layers = []
for a, b in (2, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, 1):
    layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
    torch.nn.init.xavier_normal_(layers[-2].weight)
    torch.nn.init.zeros_(layers[-2].bias)
net = torch.nn.Sequential(*layers[:-1], torch.nn.Flatten(0))


def u(p):
    x, t = p.unbind(1)
    return -torch.sin(math.pi * x) + t * (1 - x**2) * net(p)


def residual(p):
    p = p.detach().requires_grad_(True)
    value = u(p)
    u_x, u_t = torch.autograd.grad(value.sum(), p, create_graph=True)[0].unbind(1)
    u_xx = torch.autograd.grad(u_x.sum(), p, create_graph=True)[0][:, 0]
    return u_t + value * u_x - NU * u_xx


def exact(p):
    """Cole and Hopf, by the trapezoid rule."""
    z = torch.arange(-120, 121) / 10
    y = p[:, :1] - torch.sqrt(4 * NU * p[:, 1:]) * z
    w = torch.softmax(-(z**2) - torch.cos(math.pi * y) / (2 * math.pi * NU), 1)
    return -(w * torch.sin(math.pi * y)).sum(1)


def sobol(seed):
    return torch.quasirandom.SobolEngine(2, scramble=True, seed=seed).draw(1000, dtype=torch.float64)


spread, shock = sobol(0), sobol(1)
spread[:, 0] = 2 * spread[:, 0] - 1
within = torch.erf(torch.tensor(10 / math.sqrt(2)))
shock[:, 0] = 0.1 * math.sqrt(2) * torch.erfinv(within * (2 * shock[:, 0] - 1))
inner = torch.cat([spread, shock])
x, t = torch.linspace(-1, 1, 201), torch.linspace(0, 1, 41)
grid = torch.cartesian_prod(x, t)


def loss():
    return residual(inner).square().mean()


@torch.no_grad()
def gap():
    return ((u(grid) - exact(grid)).square().mean() / exact(grid).square().mean()).sqrt().item()


with torch.no_grad():
    assert (u(torch.stack([x, 0 * x], 1)) + torch.sin(math.pi * x)).abs().max() < 1e-12
    assert u(torch.cartesian_prod(torch.tensor([-1.0, 1.0]), t)).abs().max() < 1e-12
print("relative L2 error before training:", gap())
assert not gap() < 2e-2
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
for _ in range(ROUGH):
    adam.zero_grad()
    loss().backward()
    adam.step()
lbfgs = torch.optim.LBFGS(net.parameters(), max_iter=FINE, max_eval=2 * FINE, history_size=50, tolerance_grad=1e-8,
                          tolerance_change=0, line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    value = loss()
    value.backward()
    return value


lbfgs.step(closure)
print("relative L2 error after training:", gap())
assert gap() < 2e-2
