# The carbon footprint of a portfolio ten years ahead: the experiment of examples/carbon.pnn. With an argument, a long table of
# Our World in Data, the same with measured emissions too.
import csv
import math
import sys
import torch

torch.set_default_dtype(torch.float64)
SIGMA, PHI, STEPS, SEEDS, COMPANIES, YEARS, AHEAD, WIDTH = 0.01, 0.5, 1500, 6, 40, 40, 10, 16
ORIGIN = YEARS - AHEAD
SECTOR = torch.arange(COMPANIES) % 4
MU = torch.tensor([0.01, -0.01, -0.02, 0])[SECTOR]
UP = torch.tensor([0.6, 0.9, 0.4, 0.3])[SECTOR]
DOWN = torch.tensor([1.2, 1.8, 0.8, 0.6])[SECTOR]
ONE_HOT = torch.nn.functional.one_hot(SECTOR).double()


def truth(a, b, c, z):
    return MU + PHI * (a - MU) + UP * z.clamp(min=0) + DOWN * z.clamp(max=0)


def simulate():
    """Growth of the companies and the economy from year 0 on."""
    z, g = [torch.zeros(1)], [MU]
    for economy, shock in zip(torch.randn(YEARS), torch.randn(YEARS, COMPANIES)):
        z.append(0.4 * z[-1] + 0.02 * economy)
        g.append(truth(g[-1], 0, 0, z[-1]) + SIGMA * shock)
    return torch.stack(g, 1), torch.stack(z, 1)


class Model(torch.nn.Module):
    def __init__(self, *sizes, labels=None, scale=0.02):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.labels, self.scale = labels, scale
        for layer in self.layers:
            torch.nn.init.xavier_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, a, b, c, z):
        x = torch.stack([a / 0.05, b / 0.05, c / 0.05, (z / self.scale).expand_as(a)], -1)
        if self.labels is not None:
            x = torch.cat([x, self.labels.expand(*x.shape[:-2], -1, -1)], -1)
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return 0.05 * self.layers[-1](x)[..., 0]


def train(model, g, z, decay, steps):
    """From the growth of three years, along the last axis, and the economy to the growth of the next year."""
    adam = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=2 * decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    a, b, c, next = (g[:, k:g.shape[1] - 3 + k].T for k in (2, 1, 0, 3))
    z = z[:, 3:].T
    for _ in range(steps):
        adam.zero_grad()
        ((next - model(a, b, c, z)) / 0.05).square().mean().backward()
        adam.step()
        schedule.step()


@torch.no_grad()
def forecast(f, g, z):
    """Growth fed back, from what is known up to the origin, summed."""
    c, b, a = g[:, -3:].unbind(1)
    path = []
    for now in z.T:
        a, b, c = f(a, b, c, now), a, b
        path.append(a)
    return torch.stack(path, 1).cumsum(1)


def rms(x):
    return x.square().mean().sqrt().item()


oracle, ratios, over_stay, over_drift = [], [], [], []
for seed in range(1, SEEDS + 1):
    torch.manual_seed(seed)
    g, z = simulate()
    first = math.log(1e6) + torch.randn(COMPANIES)
    shares = torch.distributions.Exponential(1.0).sample((2, COMPANIES)).sum(0)
    past, path, fact = g[:, :ORIGIN + 1], z[:, ORIGIN + 1:], g[:, ORIGIN + 1:].cumsum(1)
    model = Model(8, WIDTH, WIDTH, 1, labels=ONE_HOT)
    train(model, past[:, 1:], z[:, 1:ORIGIN + 1], 1e-3, STEPS)
    mean = past[:, 1:].mean(1, keepdim=True)
    net, best = rms(forecast(model, past, path) - fact), rms(forecast(truth, past, path) - fact)
    stay, drift = rms(fact), rms(mean * torch.arange(1, AHEAD + 1) - fact)
    print("network", net, "oracle", best, "stay", stay, "drift", drift)
    assert net < stay and net < drift
    oracle.append(best**2)
    if path.min() >= 1.5 * z[:, 1:ORIGIN + 1].min() and path.max() <= 1.5 * z[:, 1:ORIGIN + 1].max():
        ratios.append(net / best)
    over_stay.append(1 - net / stay)
    over_drift.append(1 - net / drift)
oracle = math.sqrt(sum(oracle) / SEEDS)
deviation = SIGMA * ((1 - PHI ** torch.arange(1, AHEAD + 1)) / (1 - PHI)).square().cumsum(0).sqrt()
ratio, over_stay, over_drift = sum(ratios) / len(ratios), sum(over_stay) / SEEDS, sum(over_drift) / SEEDS
print("error of the oracle", oracle, "closed form", rms(deviation))
print("network to oracle", ratio, "in", len(ratios), "economies; skill over staying", over_stay,
      "over drift", over_drift)
assert abs(oracle / rms(deviation) - 1) < 0.15
assert len(ratios) < 3 or ratio <= 1.2
assert over_stay >= 0.5
assert over_drift >= 0.3

# The footprint of a portfolio.
weights = shares / shares.sum()
G = forecast(model, past, path)


def emission(growth):
    return torch.exp(first[:, None] + past[:, 1:].sum(1, keepdim=True) + growth)


def footprint(weights, growth):
    return weights @ emission(growth)


print("mean error of the portfolio", (footprint(weights, G) / footprint(weights, fact) - 1).abs().mean().item(),
      "if emissions stay", (footprint(weights, 0 * G) / footprint(weights, fact) - 1).abs().mean().item())
assert abs(weights.sum() - 1) < 1e-14
parts = weights[:, None] * torch.exp(first)[:, None] * torch.exp(past[:, 1:].sum(1, keepdim=True) + G)
assert (parts.sum(0) / footprint(weights, G) - 1).abs().max() < 1e-12
assert (footprint(torch.eye(COMPANIES)[3], G) / emission(G)[3] - 1).abs().max() < 1e-15

# A linear rule fed back is a power of its companion matrix.
rule = torch.tensor([0.5, -0.2, 0.1])
companion = torch.stack([rule, *torch.eye(3)[:2]])
last = past[:, -3:].flip(1).T
powers = torch.stack([(torch.linalg.matrix_power(companion, k) @ last)[0] for k in range(1, AHEAD + 1)], 1).cumsum(1)
linear = forecast(lambda a, b, c, z: torch.stack([a, b, c], 1) @ rule, past, path)
assert (powers - linear).abs().max() < 1e-12

# What comes after the origin is not looked at.
nonsense = g.clone()
nonsense[:, ORIGIN + 1:] = 1e3 * torch.arange(COMPANIES)[:, None]
assert (forecast(model, nonsense[:, :ORIGIN + 1], path) == G).all()
assert not (nonsense[:, ORIGIN + 1:].cumsum(1) == fact).all()

# Measured emissions: growth of 40 nations, from that of three years and of the gross domestic product.
if len(sys.argv) > 1:
    nations, years = {}, range(1970, 2017)
    with open(sys.argv[1]) as file:
        for row in csv.DictReader(file):
            if row["iso_code"] not in ("", "OWID_WRL") and int(row["year"]) in years and row["co2"] and row["gdp"]:
                values = float(row["co2"]), float(row["gdp"])
                nations.setdefault(row["country"], {})[int(row["year"])] = values
    table = torch.tensor([[n[year] for year in years] for n in nations.values() if len(n) == len(years)])
    table = table[table[:, -1, 0].argsort(descending=True)[:40]].log()
    rise, gain = table.diff(dim=1).unbind(2)  # from 1971 on
    for origin in 2006, 2001:
        for seed in range(1, 4):
            torch.manual_seed(seed)
            n = origin - 1970
            model = Model(4, 8, 1, scale=0.05)
            calm = rise.clamp(-0.2, 0.2)[:, :n]
            train(model, calm, gain[:, :n], 1e-2, 800)
            fact = rise[:, n:n + AHEAD].cumsum(1)
            usual = gain[:, n - 5:n].mean(1, keepdim=True).expand(-1, AHEAD)
            known = rms(forecast(model, calm, gain[:, n:n + AHEAD]) - fact)
            blind = rms(forecast(model, calm, usual) - fact)
            drift = rms(rise[:, n - 30:n].mean(1, keepdim=True) * torch.arange(1, AHEAD + 1) - fact)
            print(origin, "known economy", known, "unknown", blind, "stay", rms(fact), "drift", drift)
            assert known / rms(fact) < 0.9
