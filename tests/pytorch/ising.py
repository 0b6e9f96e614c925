# Couplings of spins from their configurations: the experiment of examples/ising.pnn at its own settings (a ferromagnet).
import math
import torch
from scipy.stats import rankdata
from torch.nn.functional import softplus

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
T, M, SITES = 2.0, 10000, 12
HEAT, SIDE, CHAINS, SHOTS, APART, WARM, SLOW = 3.0, 8, 500, 40, 10, 500, 150


def square(w, n):
    """Couplings of pairs i < j as a symmetric matrix."""
    W = torch.zeros(n, n)
    W[tuple(torch.triu_indices(n, n, 1))] = w
    return W + W.T


def lbfgs(parameters, loss, steps):
    optimizer = torch.optim.LBFGS(parameters, max_iter=steps, max_eval=2 * steps, history_size=50,
                                  tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


# Few spins, exactly: p(s) = exp(θ·φ(s))/Z, with φ the spins and their products in pairs.
i, j = torch.triu_indices(SITES, SITES, 1)
spins = 2.0 * (torch.arange(2**SITES)[:, None] >> torch.arange(SITES) & 1) - 1
phi = torch.cat([spins, spins[:, i] * spins[:, j]], 1)
P = phi.shape[1]
h, J = 0.1 * torch.randn(SITES), torch.randn(len(i)) / math.sqrt(SITES)
true = torch.cat([h, J])


def log_z(theta):
    return torch.logsumexp(phi @ theta, 0)


def moments(theta):
    return torch.softmax(phi @ theta, 0) @ phi


def nll(theta, m):
    return log_z(theta) - theta @ m


def gradient(f, theta):
    theta = theta.detach().requires_grad_(True)
    return torch.autograd.grad(f(theta), theta)[0]


def machine(b, w):
    return -(spins * (2 * b + spins @ square(w, SITES))).sum(1) / 2


assert (machine(h, J) + phi @ true).abs().max() < 1e-12
assert machine(h, J).argmin() == (phi @ true).argmax()
assert not (machine(h, -J) + phi @ true).abs().max() < 1e-12

p, m = torch.softmax(phi @ true / T, 0), moments(true / T)
assert (gradient(lambda t: nll(t, m), torch.zeros(P)) + m)[SITES:].abs().max() < 1e-12
theta = torch.cat([0.1 * torch.arange(SITES), 0.3 * J])
slope = gradient(lambda t: nll(t, m), theta)
assert (slope - (moments(theta) - m)).abs().max() < 1e-12
assert not (slope - (m - moments(theta)))[:SITES].abs().max() < 1e-12
d = 1e-5 * torch.eye(P)
central = torch.stack([(nll(theta + e, m) - nll(theta - e, m)) / 2e-5 for e in d])
assert (slope - central)[SITES:].abs().max() < 1e-8

theta = torch.zeros(P, requires_grad=True)
sgd = torch.optim.SGD([theta], lr=4 / P, momentum=0.9)
for _ in range(3000):
    sgd.zero_grad()
    nll(theta, m).backward()
    sgd.step()
    if theta.grad.norm() < 1e-10:
        break
gap = (theta - true / T).abs().max().item()
print("exact moments: couplings to", gap)
assert gap < 1e-6
assert gradient(lambda t: nll(t, m), theta).abs().max() < 1e-8
assert (phi @ theta).argmax() == (phi @ true).argmax()


def pseudo_exact(theta):
    H = theta[:SITES] + spins @ square(theta[SITES:], SITES)
    return p @ softplus(-2 * spins * H).sum(1)


assert gradient(pseudo_exact, true / T).abs().max() < 1e-14

drawn = phi[torch.multinomial(p, M, replacement=True)].mean(0)
theta = (true / T).requires_grad_(True)
before = nll(theta, drawn).item()
lbfgs([theta], lambda: nll(theta, drawn), 500)
off = (theta - true / T).detach()
F = (phi * p[:, None]).T @ phi - torch.outer(m, m)
chi2, wilks = (M * off @ F @ off / P).item(), 2 * M * (before - nll(theta, drawn).item()) / P
rms, bound = off[SITES:].square().mean().sqrt(), (torch.linalg.inv(F).diagonal()[SITES:].mean() / M).sqrt()
print(M, "draws: χ²/P", chi2, "likelihood ratio", wilks, "rms error", rms.item(), "Cramér-Rao", bound.item())
assert 0.7 < rms / bound < 1.35
assert 0.4 < chi2 < 1.7
assert 0.4 < wilks < 1.7
assert (moments(theta) - drawn)[:SITES].abs().max() < 1e-6

# A lattice of spins, from snapshots of chains of heat baths.
n = SIDE**2
place = torch.arange(n).reshape(SIDE, SIDE)
K = torch.zeros(n, n)
for step, axis in (1, 0), (-1, 0), (1, 1), (-1, 1):
    K[place.flatten(), place.roll(step, axis).flatten()] += 1 / HEAT
assert (K == K.T).all()
colour = (place // SIDE + place % SIDE).flatten() % 2
s = 2.0 * torch.randint(2, (CHAINS, n)) - 1
shots = []
for sweep in range(1, WARM + APART * SHOTS + 1):
    for tint in 1, 0:
        fresh = 2.0 * (torch.rand(CHAINS, n) < torch.sigmoid(2 * s @ K)) - 1
        s = torch.where(colour == tint, fresh, s)
    if sweep > WARM and (sweep - WARM) % APART == 0:
        shots.append(s)
shots = torch.stack(shots, 1)


def torus_energy(K, n):
    """Energy of a site by Kaufman's formula."""
    K = torch.tensor(K, requires_grad=True)
    mode = torch.acosh(torch.cosh(2 * K) / torch.tanh(2 * K) - torch.cos(math.pi / n * torch.arange(1, 2 * n)))
    mode = torch.cat([(2 * K + torch.log(torch.tanh(K)))[None], mode])
    parts = []
    for half in mode[1::2], mode[0::2]:
        x = torch.exp(-n * half)
        parts.append(n * half.sum() / 2 + torch.log((1 + x).prod() + (1 - x).prod()))
    log_z = n**2 / 2 * torch.log(2 * torch.sinh(2 * K)) - math.log(2) + torch.logaddexp(*parts)
    return -torch.autograd.grad(log_z, K)[0].item() / n**2


each = -HEAT / 2 * (shots * (shots @ K)).sum(2).mean(1) / n
E, dE = each.mean().item(), each.std().item() / math.sqrt(CHAINS)
print("energy of a spin", E, "±", dE, "by Kaufman", torus_energy(1 / HEAT, SIDE))
assert abs(E - torus_energy(1 / HEAT, SIDE)) < 0.008
assert not abs(E - torus_energy(1 / (1.1 * HEAT), SIDE)) < 4 * dE

i, j = torch.triu_indices(n, n, 1)


def pseudo(w, a, s):
    return softplus(-2 * s * (a + s @ square(w, n))).sum(1).mean()


def learn(s):
    w, a = torch.zeros(len(i), requires_grad=True), torch.zeros(n, requires_grad=True)
    for rate in 0.02, 0.002:
        adam = torch.optim.Adam([w, a], lr=rate)
        for _ in range(SLOW):
            adam.zero_grad()
            pseudo(w, a, s).backward()
            adam.step()
    return w.detach()


def callen(W):
    return (torch.tanh(snaps @ W) - snaps).T @ snaps / len(snaps)


def error(w):
    return (w - K[i, j]).square().mean().sqrt().item()


snaps = shots.flatten(0, 1)
G = callen(0.3 * K)
assert (gradient(lambda w: pseudo(w, 0, snaps), 0.3 * K[i, j]) - (G + G.T)[i, j]).abs().max() < 1e-12
off = callen(K)[~torch.eye(n, dtype=torch.bool)].abs().max() * math.sqrt(len(snaps))
assert off < 5
found, tenth = learn(snaps), learn(shots[:CHAINS // 10].flatten(0, 1))
bond = K[i, j] != 0
edges, none = bond.sum().item(), (~bond).sum().item()
r2 = 1 - error(found) ** 2 / K[i, j].var(unbiased=False).item()
area = (rankdata(found.abs())[bond].sum() - edges * (edges + 1) / 2) / (edges * none)
print("couplings: rms error", error(found), "R²", r2, "AUC", area, "with a tenth of the snapshots", error(tenth))
assert error(found) < 0.015
assert 1 - r2 < 0.035
assert area > 0.9999
assert (found[bond] > 0).all()
assert 2.6 < error(tenth) / error(found) < 4.2
assert not error((snaps.T @ snaps / len(snaps))[i, j]) < 0.015
