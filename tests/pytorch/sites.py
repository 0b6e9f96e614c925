# Where an intron begins and where it ends: the experiment of examples/splice/sites.pnn. With an argument, splice.csv of the
# UCI repository, the windows are read from there.
import csv
import sys
import torch
from torch.nn.functional import cross_entropy, one_hot

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
TABLE = sys.argv[1] if len(sys.argv) > 1 else None
LESSONS, EXAM, RATE, PACK, WIDTH = 2500, 4000, 3e-3, 64, 32
EPOCHS, DECAY = (15, 1e-4) if TABLE else (25, 0)
CUT, LENGTH = 30, 60

DONORS = torch.tensor([  # from 3 places before the cut; A, C, G, T
    [38, 62, 12, 0, 0, 71, 73, 11, 21],
    [31, 10, 4, 0, 0, 2, 6, 6, 10],
    [18, 12, 77, 100, 0, 24, 8, 75, 14],
    [13, 16, 7, 0, 100, 3, 13, 8, 55],
]).double()
ACCEPTORS = torch.tensor([  # from 15 places before the cut
    [15, 14, 13, 12, 11, 10, 11, 12, 13, 11, 10, 26, 7, 100, 0, 26, 24],
    [24, 21, 20, 22, 21, 22, 25, 28, 28, 25, 22, 25, 55, 0, 0, 11, 15],
    [10, 12, 10, 9, 10, 9, 10, 10, 8, 5, 5, 15, 1, 0, 100, 50, 20],
    [51, 53, 57, 58, 59, 59, 54, 50, 51, 59, 63, 33, 37, 0, 0, 13, 41],
]).double()
# Of eight kinds of windows two are donors, two acceptors, one each has a forced GT or AG, two are plain.
LAW = torch.full((8, LENGTH, 4), 0.25)
LAW[:2, CUT - 3:CUT + 6] = (DONORS / DONORS.sum(0)).T
LAW[2:4, CUT - 15:CUT + 2] = (ACCEPTORS / ACCEPTORS.sum(0)).T
LAW[4, CUT:CUT + 2] = torch.eye(4)[[2, 3]]
LAW[5, CUT - 2:CUT] = torch.eye(4)[[0, 2]]
SITE = torch.tensor([0, 0, 1, 1, 2, 2, 2, 2])


def simulate(n):
    kind = torch.randint(8, (n,))
    letters = torch.multinomial(LAW[kind].reshape(-1, 4), 1).reshape(n, LENGTH)
    return one_hot(letters, 4).double(), SITE[kind]


def read(path):
    codes = {"A": "A", "C": "C", "G": "G", "T": "T", "N": "ACGT", "D": "AGT", "S": "CG", "R": "AG"}
    with open(path) as file:
        rows = list(csv.DictReader(file))
    x = torch.tensor([[[(b in codes[c]) / len(codes[c]) for b in "ACGT"] for c in r["sequence"]] for r in rows])
    return x, torch.tensor([["EI", "IE", "N"].index(r["class"]) for r in rows])


def bayes(x):
    likelihood = (4 * torch.einsum("npb,kpb->nkp", x, LAW)).prod(2)
    return likelihood @ one_hot(SITE).double()


x, y = read(TABLE) if TABLE else simulate(LESSONS)
other = SITE[torch.randint(8, (len(x),))]
fresh = simulate(EXAM)
same = torch.unique(x.flatten(1), dim=0, return_inverse=True)[1]


def split(seed):
    """Equal windows stay on one side."""
    order = torch.randperm(same.max() + 1, generator=torch.Generator().manual_seed(seed))
    chosen = torch.isin(same, order[:int(0.8 * len(order))])
    return chosen.nonzero()[:, 0], (~chosen).nonzero()[:, 0]


def shared(train, test):
    return torch.isin(same[train], same[test]).any()


class Reader(torch.nn.Module):
    def __init__(self, kind, at_cut=True):
        super().__init__()
        self.at_cut = at_cut
        self.memory = getattr(torch.nn, kind)(4, WIDTH, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(2 * WIDTH, 3)
        for name, p in [*self.memory.named_parameters(), *self.out.named_parameters()]:
            if "bias" in name:
                torch.nn.init.zeros_(p)
            elif kind == "RNN" and "weight_ih" in name:
                torch.nn.init.normal_(p, std=1 / WIDTH)
            elif kind == "RNN" and "weight_hh" in name:
                torch.nn.init.orthogonal_(p)
            else:
                for block in p.split(WIDTH):
                    torch.nn.init.xavier_normal_(block)

    def forward(self, x):
        states, last = self.memory(x)
        return self.out(states[:, CUT] if self.at_cut else torch.cat([last[0], last[1]], 1))


def train(net, part, y, epochs=EPOCHS):
    adam = torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs)
    for _ in range(epochs):
        for batch in part[torch.randperm(len(part))].split(PACK):
            if len(batch) < PACK:
                continue
            adam.zero_grad()
            cross_entropy(net(x[batch]), y[batch]).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
            adam.step()
        schedule.step()
    return net


@torch.no_grad()
def confusion(f, part):
    inputs, truth = (x[part], y[part]) if TABLE else fresh
    return torch.bincount(3 * truth + f(inputs).argmax(1), minlength=9).reshape(3, 3)


def agreement(table):
    return (table.trace() / table.sum()).item()


splits = [split(seed) for seed in (1, 2, 3)]
assert not any(shared(*s) for s in splits)
rows = torch.randperm(len(x))
if TABLE:
    assert shared(rows[:int(0.8 * len(x))], rows[int(0.8 * len(x)):])
elmans = [confusion(train(Reader("RNN"), part, y), held) for part, held in splits]
part, held = splits[0]
gru = confusion(train(Reader("GRU"), part, y), held)
far = agreement(confusion(train(Reader("GRU", at_cut=False), part, y), held))
accuracy, total = sum(map(agreement, elmans)) / 3, sum(elmans)
errors = 1 - total.diagonal() / total.sum(1)
print("accuracy: Elman", [agreement(c) for c in elmans], "GRU", agreement(gru), "GRU, last states", far)
print("errors of the classes: Elman", errors.tolist())
if TABLE:
    assert accuracy >= 0.945
    assert errors.max() <= 0.1
    assert not far >= 0.945
else:
    ceiling = agreement(confusion(bayes, held))
    print("Bayes' rule", ceiling)
    assert ceiling - accuracy <= 0.035
    assert ceiling - agreement(gru) <= 0.035
    assert not ceiling - far <= 0.035
    assert max(accuracy, agreement(gru)) - ceiling <= 0.01
    shuffled = agreement(confusion(train(Reader("RNN"), part, other, 10), held))
    print("classes of other windows", shuffled)
    assert 0.42 <= shuffled <= 0.55
