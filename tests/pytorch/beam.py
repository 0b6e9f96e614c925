# Euler's beam, clamped at 0 and free at 1: the experiment of examples/pinn/beam.pnn.
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
ROUGH, FINE, PLACES, WIDTH = 500, 300, 32, 20


def Net():
    layers = []
    for a, b in (1, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, 1):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
        torch.nn.init.xavier_normal_(layers[-2].weight)
        torch.nn.init.zeros_(layers[-2].bias)
    return torch.nn.Sequential(*layers[:-1])


def exact(x):
    return -(x**4) / 24 + x**3 / 6 - x**2 / 4


def derivatives(f, x):
    """f and its first four derivatives, each of the one before."""
    x = x.detach().requires_grad_(True)
    values = [f(x)]
    for _ in range(4):
        values.append(torch.autograd.grad(values[-1].sum(), x, create_graph=True)[0])
    return values


def pde():
    return (derivatives(u, inner)[4] + 1).square().mean()


def wall():
    value, slope, *_ = derivatives(u, torch.zeros(1, 1))
    return (value**2 + slope**2).sum()


def free():
    _, _, bend, shear, _ = derivatives(u, torch.ones(1, 1))
    return (bend**2 + shear**2).sum()


@torch.no_grad()
def error():
    return ((u(grid) - exact(grid)).square().mean() / exact(grid).square().mean()).sqrt().item()


def train(loss):
    adam = torch.optim.Adam(u.parameters(), lr=5e-3)
    for _ in range(ROUGH):
        adam.zero_grad()
        loss().backward()
        adam.step()
    lbfgs = torch.optim.LBFGS(u.parameters(), max_iter=FINE, max_eval=2 * FINE, history_size=50, tolerance_grad=1e-9,
                              tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        lbfgs.zero_grad()
        value = loss()
        value.backward()
        return value

    lbfgs.step(closure)


inner = torch.quasirandom.SobolEngine(1, scramble=True, seed=0).draw(PLACES, dtype=torch.float64)
grid = torch.linspace(0, 1, 101)[:, None]
assert (derivatives(exact, grid)[4] + 1).abs().max() < 1e-12
u, d = Net(), 1e-3
nearby = [derivatives(u, grid + k * d) for k in (-2, -1, 1, 2)]
for order in range(1, 5):
    left2, left, right, right2 = (values[order - 1] for values in nearby)
    near, value = (8 * (right - left) - (right2 - left2)) / (12 * d), derivatives(u, grid)[order]
    assert ((value - near).square().mean() / value.square().mean()).sqrt() < 1e-6

train(lambda: pde() + wall() + free())
end = torch.ones(1, 1)
print("relative L2 error", error(), "end of the beam at", u(end).item(), "exactly", exact(end).item())
assert error() < 5e-3
u = Net()
train(lambda: pde() + free())
print("without the wall: residual", pde().sqrt().item(), "error", error())
assert not error() < 5e-3
