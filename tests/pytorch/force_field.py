# An adversarial example is work done in a force field: the experiment of examples/force_field.pnn.
import math
import numpy as np
import torch
from scipy.integrate import simpson
from torch.nn.functional import cross_entropy

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
BEND, ROUGH, RHO, STEPS, N, TRIES, DIM, CLASSES, WIDTH, PIECES = 2.0, 0.7, 1.5, 300, 600, 2000, 4, 3, 16, 20


def mlp(activation):
    net = torch.nn.Sequential(torch.nn.Linear(DIM, WIDTH), activation(), torch.nn.Linear(WIDTH, WIDTH), activation(),
                              torch.nn.Linear(WIDTH, CLASSES))
    for layer in net[::2]:
        torch.nn.init.xavier_normal_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return net


centre = 1.5 * torch.randn(CLASSES, DIM)


def simulate(n):
    k = torch.randint(CLASSES, (n,))
    return centre[k] + torch.randn(n, DIM), k


x, k = simulate(N)
smooth, kinked = mlp(torch.nn.Tanh), mlp(torch.nn.ReLU)
adam = torch.optim.Adam([*smooth.parameters(), *kinked.parameters()], lr=1e-2)
for _ in range(STEPS):
    adam.zero_grad()
    (cross_entropy(smooth(x), k) + cross_entropy(kinked(x), k)).backward()
    adam.step()


def accuracy(x, k):
    return (smooth(x).argmax(1) == k).double().mean().item()


nearest = (torch.cdist(x, centre).argmin(1) == k).double().mean().item()
print("accuracy", accuracy(x, k), "of the nearest centre", nearest)
assert accuracy(x, k) > nearest - 0.03


def loss_at(x, k, net=smooth):
    return cross_entropy(net(x), k, reduction="none")


def potential(x, net):
    return loss_at(x, torch.zeros(len(x), dtype=torch.long), net)


def gradient(f, x):
    if not x.requires_grad:
        x = x.detach().requires_grad_(True)
    return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]


def force(net):
    return lambda x: gradient(lambda x: potential(x, net), x)


def jacobian(field, x):
    """d field_i/dx_j at each place."""
    return torch.stack([gradient(lambda x: field(x)[:, i], x) for i in range(DIM)], 1).detach()


# Work on three paths: straight, curved, and a random one of pieces.
x0, x1, v, w = centre[0], centre[1], torch.randn(DIM), torch.randn(DIM)
NODES, WEIGHTS = map(torch.tensor, np.polynomial.legendre.leggauss(16))


def panels(f, a, b, n):
    s = a + (b - a) / n * (torch.arange(n)[:, None] + (1 + NODES) / 2)
    return (b - a) / (2 * n) * (WEIGHTS * f(s.flatten()).reshape(s.shape)).sum().item()


def around(f):
    return 2 * math.pi * f(2 * math.pi * torch.arange(256) / 256).mean().item()


def along(field, path):
    def power(s):
        x, velocity = torch.autograd.functional.jvp(path, s, torch.ones_like(s))
        return (field(x) * velocity).sum(1).detach()

    return power


def line(s):
    return x0 + s[:, None] * (x1 - x0)


def curve(s):
    return line(s) + BEND * torch.sin(math.pi * s)[:, None] * v + torch.sin(3 * math.pi * s)[:, None] * w


knots = line(torch.linspace(0, 1, PIECES + 1))
knots[1:-1] += ROUGH * torch.randn(PIECES - 1, DIM)


def piece(p):
    return lambda s: (1 - s)[:, None] * knots[p] + s[:, None] * knots[p + 1]


def gained(net):
    return (potential(x1[None], net) - potential(x0[None], net)).item()


gain = gained(smooth)
on_line, on_curve = (panels(along(force(smooth), path), 0, 1, 64) for path in (line, curve))
on_walk = sum(panels(along(force(smooth), piece(p)), 0, 1, 64) for p in range(PIECES))
print("L(x₁) - L(x₀) =", gain, "work", on_line, on_curve, on_walk)
assert max(abs(work - gain) for work in (on_line, on_curve, on_walk)) < 1e-10
assert max(on_line, on_curve, on_walk) - min(on_line, on_curve, on_walk) < 1e-10


# The order of a rule, and the net that has none: kinks instead of derivatives.
def by_simpson(net, n):
    s = torch.linspace(0, 1, n + 1)
    return abs(simpson(along(force(net), curve)(s).numpy(), s.numpy()) - gained(net))


coarse, fine = by_simpson(smooth, 1024), by_simpson(smooth, 2048)
print("Simpson with 1024 nodes:", coarse, "with 2048", fine)
if coarse < 3e-8:
    assert by_simpson(smooth, 8192) < 1e-11
assert 13 < coarse / fine < 19
assert by_simpson(kinked, 8192) < 0.1
assert not by_simpson(kinked, 8192) < 1e-6

# Loops, and Green's theorem.
a = (x1 - x0) / (x1 - x0).norm()
b = w - (w @ a) * a
b = b / b.norm()


def plane(s, t):
    return (x0 + x1) / 2 + s[:, None] * a + t[:, None] * b


def circle(angle):
    return plane(RHO * angle.cos(), RHO * angle.sin())


def turned(net):
    def field(x):
        F = force(net)(x)
        return (F @ a)[:, None] * b - (F @ b)[:, None] * a

    return field


def laplacian_integral(net):
    angle = 2 * math.pi * torch.arange(256) / 256

    def ring(r):
        s, t = (torch.outer(r, f(angle)).flatten() for f in (torch.cos, torch.sin))
        x = plane(s, t)
        in_plane = sum(gradient(lambda x: force(net)(x) @ d, x) @ d for d in (a, b))
        return r * 2 * math.pi * in_plane.detach().reshape(len(r), -1).mean(1)

    return panels(ring, 0, RHO, 8)


loop = around(along(force(smooth), circle))
turn, turn_kinked = (around(along(turned(net), circle)) for net in (smooth, kinked))
print("circulation of the turned field", turn, "Green", laplacian_integral(smooth), "with ReLU", turn_kinked)
assert abs(loop) < 1e-10
assert abs(turn - laplacian_integral(smooth)) < 1e-6
assert abs(turn) > 0.5
assert not abs(turn_kinked - laplacian_integral(kinked)) < 1e-6


# The Hessian is symmetric.
def skew(H):
    return (H - H.transpose(1, 2)).abs().max()


shifts = 1e-5 * torch.eye(DIM)
difference = torch.stack([(force(smooth)(x + d) - force(smooth)(x - d)) / 2e-5 for d in shifts], 2)
assert skew(jacobian(force(smooth), x)) < 1e-12
assert skew(difference) < 1e-6
assert not skew(jacobian(turned(smooth), x)) < 1e-3

# Steps along sign F.
x, k = simulate(TRIES)
e = 2.0 * torch.randint(2, (TRIES, DIM)) - 1
slope = gradient(lambda x: loss_at(x, k), x).detach()
hessian = jacobian(lambda x: gradient(lambda x: loss_at(x, k), x), x)
sign, l1 = slope.sign(), slope.abs().sum(1)


@torch.no_grad()
def rise(d):
    return loss_at(x + d, k) - loss_at(x, k)


off1 = [(rise(eps * sign) / (eps * l1) - 1).abs().median().item() for eps in (1e-1, 1e-2, 1e-3, 1e-4)]
bent = torch.einsum("ni,nij,nj->n", sign, hessian, sign)
off2 = ((rise(1e-3 * sign) - 1e-3 * l1) / (1e-6 / 2 * bent) - 1).abs().median().item()
print("deviation from ε‖F‖₁ for ε = 0.1 to 1e-4:", off1, "of the second order at 1e-3:", off2)
assert off1[2] < 1e-2
assert 8 < off1[1] / off1[2] < 12
assert 8 < off1[2] / off1[3] < 12
assert off2 < 0.05
lead = rise(1e-3 * sign) - rise(1e-3 * e)
ahead = (2e-3 * slope.abs() * (e != sign)).sum(1)
decided = ahead > 1e-6 * hessian.abs().sum((1, 2)) + 1e-13
lost = ((ahead > 0) & (lead < 0)).sum().item()
print(lost, "of", TRIES, "random steps gain more; first order decides", decided.sum().item())
assert lead[decided].min() > 0
assert lost / TRIES < 1e-3
assert not rise(1e-3 * e).mean() > 0.5e-3 * l1.mean()
attacked = [accuracy(x + eps * sign, k) for eps in (0, 0.1, 0.3, 0.5, 1)]
print("accuracy after steps of 0, 0.1, 0.3, 0.5, 1:", attacked)
assert attacked[-1] < attacked[0]
assert not accuracy(x + e, k) < attacked[-1]
