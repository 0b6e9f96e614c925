# A linear Gaussian autoencoder keeps the long waves of a free field: the experiment of examples/vae_rg.pnn.
import math
import numpy as np
import torch
from scipy.linalg import subspace_angles

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
ROUGH, FINE, M2, M2_PLANE, N, Q, SIDE, Q2 = 500, 20000, 0.05, 0.1, 64, 5, 16, 9
SAMPLES, BATCH, SLOW = 10000, 256, 4000


class Autoencoder(torch.nn.Module):
    def __init__(self, n, q, full=False):
        super().__init__()
        self.W = torch.nn.Parameter(0.1 * torch.randn(n, q))
        self.V = torch.nn.Parameter(0.1 * torch.randn(q, n))
        self.A = torch.nn.Parameter(torch.zeros(q, q), requires_grad=full)
        self.d = torch.nn.Parameter(torch.zeros(q))
        self.s = torch.nn.Parameter(torch.zeros(()))  # log σ²

    def factor(self):
        return self.A.tril(-1) + torch.diag(torch.exp(self.d / 2))

    def bound(self, missed, second):
        """From the mean square of what is missed, and the mean of |z|²."""
        n, q = self.W.shape
        likelihood = -(n * (math.log(2 * math.pi) + self.s) + missed * torch.exp(-self.s)) / 2
        return likelihood - (second - q - self.d.sum()) / 2

    def evidence(self, S):
        D, T = self.factor() @ self.factor().T, self.V @ S @ self.V.T
        missed = S.trace() - 2 * (self.W * (S @ self.V.T)).sum() + ((self.W.T @ self.W) * (T + D)).sum()
        return self.bound(missed, D.trace() + T.trace())

    def evidence_of(self, phi):
        D, mean = self.factor() @ self.factor().T, phi @ self.V.T
        missed = (phi - mean @ self.W.T).square().sum(-1) + ((self.W.T @ self.W) * D).sum()
        return self.bound(missed, D.trace() + mean.square().sum(-1))

    def drawn(self, phi, e):
        z = phi @ self.V.T + e @ self.factor().T
        missed = (phi - z @ self.W.T).square().sum(-1)
        return self.bound(missed, z.square().sum(-1) - e.square().sum(-1) + self.W.shape[1])

    def likelihood(self, S):
        C = self.W @ self.W.T + torch.exp(self.s) * torch.eye(len(S))
        return -(len(S) * math.log(2 * math.pi) + torch.logdet(C) + torch.linalg.solve(C, S).trace()) / 2

    def gain(self, U):
        return ((self.W.T @ U) * (self.V @ U)).sum(0)

    def closure(self):
        I = torch.eye(len(self.d))
        return self.factor() @ self.factor().T @ (self.W.T @ self.W * torch.exp(-self.s) + I) - I


def train(net, S):
    parameters = [p for p in net.parameters() if p.requires_grad]
    adam = torch.optim.Adam(parameters, lr=1e-2)
    for _ in range(ROUGH):
        adam.zero_grad()
        (-net.evidence(S)).backward()
        adam.step()
    lbfgs = torch.optim.LBFGS(parameters, max_iter=FINE, max_eval=2 * FINE, history_size=100, tolerance_grad=1e-7,
                              tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        lbfgs.zero_grad()
        loss = -net.evidence(S)
        loss.backward()
        return loss

    lbfgs.step(closure)


def beyond(lam, q):
    return lam[q:].mean()


def best(lam, q):
    n = len(lam)
    return -(n * (math.log(2 * math.pi) + 1) + lam[:q].log().sum() + (n - q) * beyond(lam, q).log()) / 2


def angles(W, U):
    return subspace_angles(W.detach().numpy(), U[:, :W.shape[1]].numpy())


def angle(W, U):
    return np.degrees(angles(W, U).max())


def overlap(W, U):
    return np.mean(np.cos(angles(W, U)) ** 2)


@torch.no_grad()
def check(net, S, lam, U, most, kept, full=False):
    q, s2 = net.W.shape[1], torch.exp(net.s)
    missing = best(lam, q) - net.evidence(S)
    print("bound", net.evidence(S).item(), "best", best(lam, q).item(), "σ²", s2.item(), "angle of W and V",
          angle(net.W, U), angle(net.V.T, U))
    assert -1e-9 < missing < most
    assert net.likelihood(S) - net.evidence(S) > -1e-9
    assert abs(s2 / beyond(lam, q) - 1) < 1e-3
    carried = (net.W.T @ U).square().sum(0)
    assert carried[q:].max() < 1e-4
    assert ((carried[:q] + s2) / lam[:q] - 1).abs().max() < kept
    assert angle(net.W, U) < 0.5 and angle(net.V.T, U) < 0.5
    assert (net.gain(U) - through(lam, q, beyond(lam, q))).abs().max() < 0.02
    rest = net.closure().abs()
    assert (rest if full else rest.diagonal()).max() < 1e-3


def through(lam, q, s2):
    return (1 - s2 / lam).clamp(min=0) * (torch.arange(len(lam)) < q)


def waves(n):
    """Real plane waves on a ring as columns, from the longest, and the eigenvalues of -Δ to them."""
    k = (torch.arange(n) + 1) // 2
    x = 2 * math.pi / n * torch.arange(n)[:, None] * k
    U = torch.where(torch.arange(n) % 2 == 0, x.sin(), x.cos())
    U[:, 0] = 1
    return U / U.norm(dim=0), 4 * torch.sin(math.pi * k / n) ** 2


def laplacian(n):
    I = torch.eye(n)
    return 2 * I - I.roll(1, 0) - I.roll(-1, 0)


# The field on a ring.
U, p2 = waves(N)
lam = 1 / (M2 + p2)
S = U @ torch.diag(lam) @ U.T
assert (S - torch.linalg.inv(laplacian(N) + M2 * torch.eye(N))).abs().max() < 1e-12
for full in False, True:
    net = Autoencoder(N, Q, full)
    train(net, S)
    check(net, S, lam, U, 1e-5 if full else 1e-2, 0.01 if full else 0.05, full)

untrained = Autoencoder(N, Q)
assert not best(lam, Q) - untrained.evidence(S) < 1e-2
assert not overlap(untrained.W, U) >= 0.9999
assert not angle(untrained.W, U) < 0.5
share = np.array([overlap(torch.randn(N, Q), U) for _ in range(200)])
assert abs(share.mean() - Q / N) < 4 * share.std() / math.sqrt(200)

# σ² held fixed: latents fall silent one after the other.
for fraction in torch.linspace(0.04, 1.24, 25):
    net = Autoencoder(N, Q)
    s2 = fraction * lam[0]
    net.s.data, net.s.requires_grad = s2.log(), False
    train(net, S)
    with torch.no_grad():
        if (lam / s2 - 1).abs().min() > 1e-3:
            loud = net.W.square().sum(0) > 1e-4 * s2
            assert loud.sum() == (lam[:Q] > s2).sum()
            assert ((torch.exp(net.d) - 1).abs() * ~loud).max() < 1e-3
        assert (net.gain(U) - through(lam, Q, s2)).abs().max() < 0.02

# A field in the plane.
line, p2 = waves(SIDE)
mu = 1 / (M2_PLANE + p2[:, None] + p2).flatten()
order = mu.argsort(descending=True, stable=True)
lam2, U2 = mu[order], torch.kron(line, line)[:, order]
S2 = U2 @ torch.diag(lam2) @ U2.T
I = torch.eye(SIDE)
operator = M2_PLANE * torch.eye(SIDE**2) + torch.kron(laplacian(SIDE), I) + torch.kron(I, laplacian(SIDE))
assert (S2 - torch.linalg.inv(operator)).abs().max() < 1e-12
net = Autoencoder(SIDE**2, Q2)
train(net, S2)
check(net, S2, lam2, U2, 1e-2, 0.12)

# Fields as samples, and latents as draws.
sample = torch.randn(SAMPLES, N) * lam.sqrt() @ U.T
net = Autoencoder(N, Q, full=True)
adam = torch.optim.Adam(net.parameters(), lr=3e-2)
schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: 1e-3 ** max(1.5 * k / SLOW - 0.5, 0))
loader = torch.utils.data.DataLoader(sample, BATCH, shuffle=True, drop_last=True)
for epoch in range(-(-SLOW // len(loader))):
    for phi in loader:
        adam.zero_grad()
        (-net.drawn(phi, torch.randn(BATCH, Q)).mean()).backward()
        adam.step()
        schedule.step()
with torch.no_grad():
    SM = sample.T @ sample / SAMPLES
    lamM, UM = (part.flip(-1) for part in torch.linalg.eigh(SM))
    gap = best(lamM, Q) - net.evidence(SM)
    theory = (lam[:Q, None] * lam[Q:] / (lam[:Q, None] - lam[Q:]) ** 2).sum() / (SAMPLES * Q)
    print("samples: bound", gap.item(), "below the best, overlap with their components", overlap(net.W, UM),
          "with waves", overlap(net.W, U), "by theory", 1 - theory.item())
    assert -1e-9 < gap < 0.05
    assert overlap(net.W, UM) >= 0.9995
    assert overlap(net.W, U) >= 0.995
    for model in net, Autoencoder(N, Q, full=True):
        draws = torch.stack([model.drawn(sample, torch.randn(SAMPLES, Q)) for _ in range(10)]).mean(0)
        delta = draws - model.evidence_of(sample)
        assert delta.mean().abs() / (delta.square().mean() / SAMPLES).sqrt() < 4
