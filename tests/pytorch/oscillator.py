# The friction of an oscillator from its positions: the experiment of examples/pinn/oscillator.pnn.
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
K, MU, NOISE, ROUGH, FINE, WIDTH = 400.0, 4.0, 0.02, 2000, 2000, 32


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [1, WIDTH, WIDTH, WIDTH, 1]
        self.mu = torch.nn.Parameter(torch.zeros(()))
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        for layer in self.layers:
            torch.nn.init.xavier_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, t):
        x = (6 * t - 3)[:, None]
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)[:, 0]


def free(t, mu):
    w = (K - mu**2 / 4) ** 0.5
    return torch.exp(-mu * t / 2) * (torch.cos(w * t) + mu / (2 * w) * torch.sin(w * t))


def truth(t):
    return free(t, MU)


def motion(f, mu, t):
    t = t.detach().requires_grad_(True)
    u = f(t)
    du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    return torch.autograd.grad(du.sum(), t, create_graph=True)[0] + mu * du + K * u


def misfit(f, t, y):
    return (f(t) - y).square().mean()


@torch.no_grad()
def error(u):
    return ((u(grid) - truth(grid)).square().mean() / truth(grid).square().mean()).sqrt().item()


def lbfgs(parameters, loss, steps, memory, least):
    optimizer = torch.optim.LBFGS(parameters, max_iter=steps, max_eval=2 * steps, history_size=memory,
                                  tolerance_grad=least, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def train(t, y, weight):
    u = Net()

    def loss():
        return misfit(u, t, y) + weight * (motion(u, u.mu, grid) / K).square().mean()

    adam = torch.optim.Adam(u.parameters(), lr=5e-3)
    for _ in range(ROUGH):
        adam.zero_grad()
        loss().backward()
        adam.step()
    lbfgs(u.parameters(), loss, FINE, 100, 1e-9)
    return u


grid = torch.linspace(0, 1, 100)
assert motion(truth, MU, torch.rand(100)).abs().max() < 1e-9
t = torch.rand(40)
u = train(t, truth(t), 1)
print("exact positions: friction", u.mu.item(), "relative L2 error", error(u))
assert abs(u.mu / MU - 1) < 5e-3
assert error(u) < 1e-3

# Noisy positions, and the formula itself fitted to them.
t = torch.rand(60)
y = truth(t) + NOISE * torch.randn(60)
nu = torch.ones((), requires_grad=True)
lbfgs([nu], lambda: misfit(lambda t: free(t, nu), t, y), 200, 10, 1e-10)
for weight in 10, 1000:
    u = train(t, y, weight)
    off = abs(u.mu - nu).item()
    print("noise", NOISE, "weight", weight, "friction", u.mu.item(), "by the formula", nu.item(), "error", error(u))
    if weight == 10:
        assert off < 0.15
        assert error(u) < 5e-2
    else:
        assert not off < 0.15
        assert not error(u) < 5e-2
