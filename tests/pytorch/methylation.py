# Methylation as a brake on learning: the experiment of examples/methylation.pnn with simulated methylation.
import numpy as np
import torch
from scipy.linalg import expm
from scipy.stats import spearmanr

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
GENES, CASES, WIDTH, ETA, KAPPA, STEPS, SMALL, LONG = 40, 200, 16, 0.05, 3.0, 60, 3e-3, 60

m = torch.rand(GENES)
side = 2 * torch.rand(GENES) - 1
goal = side.sign() * (0.5 + torch.rand(GENES))
X = CASES**0.5 * torch.linalg.qr(torch.randn(CASES, GENES))[0]
y = X @ goal
assert (X.T @ X / CASES - torch.eye(GENES)).abs().max() < 1e-12


def braked(loss, w, rate, steps, watch=lambda step: None):
    """Descent with a rate for each entry."""
    for step in range(1, steps + 1):
        gradient = torch.autograd.grad(loss(), w)[0]
        with torch.no_grad():
            w -= rate * gradient
        watch(step)


def linear():
    return (X @ w - y).square().mean() / 2


def zeros():
    return torch.zeros(GENES, requires_grad=True)


def order(change):
    return spearmanr(m, change.detach().abs()).correlation


# Linear regression on white data: the closed form at every step.
for slow in 1 - m, torch.exp(-KAPPA * m):
    w = zeros()

    def closed(step):
        assert (w - goal * (1 - (1 - ETA * slow) ** step)).abs().max() < 1e-12

    braked(linear, w, ETA * slow, STEPS, closed)
    assert order(w / goal) < -0.999
slow = 1 - m
w = zeros()
braked(linear, w, ETA, STEPS)
assert not (w - goal * (1 - (1 - ETA * slow) ** STEPS)).abs().max() < 1e-12
assert not order(w / goal) < -0.999

# w = sqrt(s) v: plain descent in v is braked descent in w.
w, v = zeros(), zeros()
braked(linear, w, ETA * slow, 500)
braked(lambda: (X @ (slow.sqrt() * v) - y).square().mean() / 2, v, ETA, 500)
print("braked descent and descent in v differ by", (w - slow.sqrt() * v).abs().max().item())
assert (w - slow.sqrt() * v).abs().max() < 1e-12

# Correlated data: the power of a matrix, and half the step is half as far from the flow in time.
i = torch.arange(GENES)
C = 0.6 ** (i[:, None] - i).abs()
pull = torch.diag(slow) @ C


def path(dt, n):
    return -torch.linalg.matrix_power(torch.eye(GENES) - dt * pull, n) @ goal


w = zeros()
braked(lambda: (w - goal) @ C @ (w - goal) / 2, w, ETA * slow, STEPS)
assert (w - goal - path(ETA, STEPS)).abs().max() < 1e-11
flow = -torch.tensor(expm(-3 * pull.numpy())) @ goal
far = [(path(3 / n, n) - flow).abs().max().item() for n in (30, 60, 120)]
print("half the step leaves 1 /", far[0] / far[1], "and 1 /", far[1] / far[2], "of the distance to the flow")
assert abs(far[0] / far[1] - 2) < 0.1
assert abs(far[1] / far[2] - 2) < 0.1


# A network whose first layer is braked.
class Braked(torch.optim.Adam):
    """The update of Adam, not the gradient, is scaled."""

    def __init__(self, W, rest, brake, **options):
        super().__init__([W, *rest], **options)
        self.W, self.brake = W, brake

    @torch.no_grad()
    def step(self):
        before = self.W.clone()
        super().step()
        self.W.copy_(before + self.brake * (self.W - before))


x = torch.randn(400, GENES)


def network(seed):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(GENES, WIDTH), torch.nn.Tanh(), torch.nn.Linear(WIDTH, 1, bias=False))
    torch.nn.init.xavier_normal_(net[0].weight)
    torch.nn.init.zeros_(net[0].bias)
    torch.nn.init.normal_(net[2].weight, std=0.1)
    return net


def train(way, seed, steps=LONG, **options):
    """How much each weight of the first layer changes."""
    net = network(seed)
    W, *rest = net.parameters()
    start = W.detach().clone()
    if way == "descent":
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    elif way == "adam update":
        optimizer = Braked(W, rest, slow, lr=SMALL, **options)
    else:
        optimizer = torch.optim.Adam(net.parameters(), lr=SMALL, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        (net(x)[:, 0] - target).square().mean().backward()
        if way in ("descent", "adam gradient"):
            W.grad *= slow
        optimizer.step()
    return W.detach() - start


correlations = []
for seed in range(1, 6):
    torch.manual_seed(seed)
    m, side = torch.rand(GENES), 2 * torch.rand(GENES) - 1
    m[0] = 1
    slow, target = 1 - m, torch.tanh(x @ side.sign() / GENES**0.5)
    moves = [train(way, seed) for way in ("descent", "adam update", "adam gradient")]
    assert all((move[:, 0] == 0).all() for move in moves)
    correlations.append([order(move.norm(dim=0)) for move in moves])
descent, update, gradient = np.mean(correlations, 0)
print("mean correlations of methylation and change:", descent, update, "scaled gradient", gradient)
assert descent <= -0.6
assert update <= -0.7
assert abs(gradient) < 0.4

# One step tells why.
assert (train("adam update", 0, 1, eps=1e-14).abs() / SMALL - slow).abs().max() < 0.01
assert (train("adam gradient", 0, 1, eps=1e-14).abs() / SMALL - 1)[:, 1:].abs().max() < 0.01

# Without methylation nothing is different (up to rounding: the optimiser is wrapped, its update not its own).
slow = torch.ones(GENES)
assert (train("adam", 0, 20) - train("adam update", 0, 20)).abs().max() < 1e-15
