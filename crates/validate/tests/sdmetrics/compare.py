#!/usr/bin/env python3
"""Our numbers beside those of the `sdmetrics` package.

    pip install sdmetrics==0.32.0
    python compare.py > expected.json    # tables, and what sdmetrics says of them
    cargo test -p lookalike-validate --test it sdmetrics -- --nocapture    # both, side by side

The tables are small and made here, from a fixed seed. `expected.json` is committed, so that the tests need no Python.
"""

import json
import math
import sys
import warnings

import numpy as np
import pandas as pd
import sdmetrics
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.column_pairs.statistical import CardinalityBoundaryAdherence, ReferentialIntegrity
from sdmetrics.multi_table import CardinalityShapeSimilarity, CardinalityStatisticSimilarity
from sdmetrics.reports.multi_table._properties import (
    Cardinality,
    InterTableTrends,
    RelationshipValidity,
)
from sdmetrics.reports.single_table._properties import ColumnPairTrends, ColumnShapes, DataValidity
from sdmetrics.single_column import (
    BoundaryAdherence,
    CategoryAdherence,
    CategoryCoverage,
    KeyUniqueness,
    KSComplement,
    MissingValueSimilarity,
    RangeCoverage,
    SequenceLengthSimilarity,
    StatisticSimilarity,
    TVComplement,
)
from sdmetrics.single_table import NewRowSynthesis, TableStructure
from sdmetrics.single_table.privacy import DCROverfittingProtection, DisclosureProtection
from sdmetrics.utils import discretize_column

warnings.simplefilter("ignore")
rng = np.random.default_rng(20240229)
CONTINUOUS = ("numerical", "datetime")
cases = []


def case(table, metric, columns, value, note=None):
    """What sdmetrics says; nothing where it says NaN or raises."""
    value = None if value is None or (isinstance(value, float) and math.isnan(value)) else float(value)
    entry = {"table": table, "metric": metric, "columns": columns, "value": value}
    if note:
        entry["note"] = note
    cases.append(entry)


def attempt(compute):
    try:
        return compute()
    except Exception:  # what cannot be computed raises one of many things
        return None


def single(name, meta, real, synthetic, key=None, sequence=None):
    """Every metric of one table's columns and pairs."""
    for column, sdtype in meta.items():
        a, b = real[column], synthetic[column]
        case(name, "MissingValueSimilarity", [column], attempt(lambda: MissingValueSimilarity.compute(a, b)))
        if sdtype in CONTINUOUS:
            case(name, "KSComplement", [column], attempt(lambda: KSComplement.compute(a, b)))
            case(name, "BoundaryAdherence", [column], attempt(lambda: BoundaryAdherence.compute(a, b)))
            case(name, "RangeCoverage", [column], attempt(lambda: RangeCoverage.compute(a, b)))
            for statistic in ("mean", "median", "std"):
                value = attempt(lambda: StatisticSimilarity.compute(a, b, statistic=statistic))
                case(name, f"StatisticSimilarity ({statistic})", [column], value)
        elif sdtype != "id":
            case(name, "TVComplement", [column], attempt(lambda: TVComplement.compute(a, b)))
            case(name, "CategoryAdherence", [column], attempt(lambda: CategoryAdherence.compute(a, b)))
            case(name, "CategoryCoverage", [column], attempt(lambda: CategoryCoverage.compute(a, b)))
    names = [column for column in meta if meta[column] != "id"]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            pair = [first, second]
            a, b = real[pair], synthetic[pair]
            continuous = [column for column in pair if meta[column] in CONTINUOUS]
            if len(continuous) == 2:
                for coefficient in ("Pearson", "Spearman"):
                    value = attempt(lambda: CorrelationSimilarity.compute(a, b, coefficient=coefficient))
                    case(name, f"CorrelationSimilarity ({coefficient})", pair, value)
            else:
                a, b = numeric_times(a.copy(), meta), numeric_times(b.copy(), meta)
                value = attempt(
                    lambda: ContingencySimilarity.compute(a, b, continuous_column_names=continuous or None)
                )
                case(name, "ContingencySimilarity", pair, value)
    metadata = {"columns": {column: {"sdtype": sdtype} for column, sdtype in meta.items()}}
    if key:
        case(name, "KeyUniqueness", [key], KeyUniqueness.compute(real[key], synthetic[key]))
        metadata["primary_key"] = key
    if sequence:
        value = SequenceLengthSimilarity.compute(real[sequence], synthetic[sequence])
        case(name, "SequenceLengthSimilarity", [sequence], value)
    case(name, "TableStructure", [], TableStructure.compute(real, synthetic))
    if len(real) and len(synthetic):
        case(name, "Column Shapes", [], attempt(lambda: ColumnShapes().get_score(real, synthetic, metadata)))
        value = attempt(lambda: trends(ColumnPairTrends, real, synthetic, metadata))
        as_is = attempt(lambda: trends(ColumnPairTrends, real, synthetic, metadata, reference_edges=False))
        note = None
        if value != as_is and not (value is None or as_is is None or math.isnan(value)):
            note = f"sdmetrics as it is: {as_is}; it bins each table over its own range"
        case(name, "Column Pair Trends", [], value, note)
        case(name, "Data Validity", [], attempt(lambda: DataValidity().get_score(real, synthetic, metadata)))
        if not any(sdtype == "id" for sdtype in meta.values()) and len(names) > 1:
            value = attempt(lambda: NewRowSynthesis.compute(real, synthetic, metadata))
            case(name, "NewRowSynthesis", [], value)


def numeric_times(data, meta):
    """Times as numbers, as the report does before it bins them; NaN where there is none."""
    for column in data:
        if meta[column] == "datetime":
            missing = data[column].isna()
            data[column] = pd.to_numeric(data[column]).astype(float)
            data.loc[missing, column] = np.nan
    return data


def trends(prop, real, synthetic, metadata, reference_edges=True):
    """A report's pair trends with its thresholds; mixed pairs binned with the reference's edges if asked for."""
    instance = prop()
    instance.real_correlation_threshold = 0.5
    instance.real_association_threshold = 0.3
    if not reference_edges:
        return instance.get_score(real, synthetic, metadata)
    original = ColumnPairTrends._get_processed_data
    edges = {}

    def processed(self, data, metadata):
        data = self._convert_datetime_columns_to_numeric(data.copy(), metadata)
        binned = {}
        for column, meta in metadata["columns"].items():
            if meta["sdtype"] in CONTINUOUS:
                # The real table comes first; the synthetic one is binned as it was.
                reference = edges.setdefault((id(self), column), data[column])
                binned[column] = discretize_column(reference, data[column])[1]
        return data, pd.DataFrame(binned, index=data.index)

    ColumnPairTrends._get_processed_data = processed
    try:
        return instance.get_score(real, synthetic, metadata)
    finally:
        ColumnPairTrends._get_processed_data = original


def table(kinds, real, synthetic):
    return {"columns": kinds, "real": cells(kinds, real), "synthetic": cells(kinds, synthetic)}


def cells(kinds, frame):
    def cell(kind, value):
        if value is None or (not isinstance(value, str) and pd.isna(value)):
            return None
        if kind == "datetime":
            return int(pd.Timestamp(value).value // 1000)
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
        return bool(value) if kind == "bool" else str(value)

    return {column: [cell(kind, value) for value in frame[column]] for column, kind in kinds.items()}


def with_nulls(values, share):
    values = pd.Series(values)
    return values.mask(rng.random(len(values)) < share)


tables = {}

# 1. Everything at once, with nulls and ties.
KINDS = {"size": "float", "count": "int", "score": "float", "when": "datetime", "kind": "text", "zone": "text", "hot": "bool"}
META = {
    "size": "numerical", "count": "numerical", "score": "numerical", "when": "datetime",
    "kind": "categorical", "zone": "categorical", "hot": "boolean",
}


def mixed(n, shift, start, extra):
    size = rng.lognormal(3 + shift, 0.8, n).round(2)
    when = pd.to_datetime(start) + pd.to_timedelta((rng.random(n) * 3e7).round(3), unit="s").round("us")
    kind = rng.choice(["gp2", "gp3", "io1", "st1"] + extra, n, p=[0.4, 0.3, 0.2, 0.1] if not extra else [0.3, 0.3, 0.2, 0.1, 0.1])
    zone = np.where(rng.random(n) < 0.8, np.char.add("z-", kind), "z-other")
    return pd.DataFrame({
        "size": size,
        "count": rng.poisson(4 + 10 * shift, n),
        "score": with_nulls((size * 0.5 + rng.normal(0, 8, n)).round(3), 0.15),
        "when": with_nulls(when, 0.05),
        "kind": kind,
        "zone": with_nulls(zone, 0.1).astype(object),
        "hot": rng.random(n) < 0.3 + shift,
    })


def add(name, kinds, meta, real, synthetic, **more):
    tables[name] = table(kinds, real, synthetic) | {k: v for k, v in more.items() if v}
    tables[name]["roles"] = meta
    single(name, meta, real, synthetic, **more)


add("mixed", KINDS, META, mixed(200, 0.0, "2023-01-01", []), mixed(150, 0.1, "2023-02-01", ["sc1"]))
# 2. The same truth twice, other sizes.
add("same", KINDS, META, mixed(60, 0.0, "2023-01-01", []), mixed(90, 0.0, "2023-01-01", []))
# 3. Constants, nothing but nulls, single values.
odd_kinds = {"one": "int", "none": "float", "word": "text", "late": "float"}
odd_meta = {"one": "numerical", "none": "numerical", "word": "categorical", "late": "numerical"}
add(
    "odd", odd_kinds, odd_meta,
    pd.DataFrame({"one": [7] * 8, "none": [np.nan] * 8, "word": ["a"] * 8, "late": [1.0, 2, 3, 4, 5, 6, 7, 8]}),
    pd.DataFrame({"one": [7] * 5 + [8], "none": [np.nan] * 5 + [1.0], "word": ["a"] * 5 + ["b"], "late": [np.nan] * 6}),
)
# 4. Very few rows.
tiny_kinds = {"x": "float", "y": "int", "k": "text"}
tiny_meta = {"x": "numerical", "y": "numerical", "k": "categorical"}
add(
    "tiny", tiny_kinds, tiny_meta,
    pd.DataFrame({"x": [0.1, 0.2, 0.3], "y": [3, 1, 2], "k": ["a", "b", "a"]}),
    pd.DataFrame({"x": [0.1 + 0.2, 0.2], "y": [3, 9], "k": ["a", "c"]}),
)
# 5. Keys and sequences.
seq_kinds = {"row": "int", "device": "text", "value": "float"}
seq_meta = {"row": "id", "device": "id", "value": "numerical"}


def sequences(devices, scale):
    names = np.repeat([f"d{i}" for i in range(devices)], rng.poisson(scale, devices) + 1)
    return pd.DataFrame({"row": np.arange(len(names)), "device": names, "value": rng.normal(0, 1, len(names)).round(4)})


real, synthetic = sequences(30, 5), sequences(25, 7)
synthetic.loc[[3, 4, 9], "row"] = 1
add("sequences", seq_kinds, seq_meta, real, synthetic, key="row", sequence="device")
# 6. Rows that are known, and rows that are new; numbers whose bins hit the edges.
base = pd.DataFrame({"a": np.arange(40) % 11, "b": np.linspace(0, 1, 40).round(3), "c": np.where(np.arange(40) % 3 == 0, "x", "y")})
copy = pd.concat([base.iloc[:15], base.iloc[20:30].assign(b=lambda d: (d["b"] * 1.005).round(4), c="x")], ignore_index=True)
known_kinds, known_meta = {"a": "int", "b": "float", "c": "text"}, {"a": "numerical", "b": "numerical", "c": "categorical"}
add("known", known_kinds, known_meta, base, copy)

# 7. Parents and children.
parent_meta = {"id": "id", "region": "categorical", "age": "numerical"}
child_meta = {"parent": "id", "amount": "numerical", "state": "categorical"}


def family(n, scale, orphans):
    regions = rng.choice(["north", "south", "east"], n)
    age = rng.integers(18, 80, n)
    children = rng.poisson(scale, n)
    ids = np.repeat(np.arange(n), children)
    state = np.where(rng.random(len(ids)) < 0.7, np.char.add("in-", regions[ids].astype(str)), "elsewhere")
    child = pd.DataFrame({
        "parent": ids.astype(float), "amount": (age[ids] * 2 + rng.normal(0, 10, len(ids))).round(2), "state": state,
    })
    child.loc[child.index[:orphans], "parent"] = n + 5.0
    return pd.DataFrame({"id": np.arange(n).astype(float), "region": regions, "age": age}), child


real_parent, real_child = family(50, 3, 0)
synth_parent, synth_child = family(40, 4, 6)
parent_kinds = {"id": "float", "region": "text", "age": "int"}
child_kinds = {"parent": "float", "amount": "float", "state": "text"}
add("parents", parent_kinds, parent_meta, real_parent, synth_parent, key="id")
add("children", child_kinds, child_meta, real_child, synth_child)
relation = {
    "parent_table_name": "parents", "parent_primary_key": "id",
    "child_table_name": "children", "child_foreign_key": "parent",
}
metadata = {
    "tables": {
        "parents": {"columns": {c: {"sdtype": t} for c, t in parent_meta.items()}, "primary_key": "id"},
        "children": {"columns": {c: {"sdtype": t} for c, t in child_meta.items()}},
    },
    "relationships": [relation],
}
reals = {"parents": real_parent, "children": real_child}
synthetics = {"parents": synth_parent, "children": synth_child}
keys = [(frames["parents"]["id"], frames["children"]["parent"]) for frames in (reals, synthetics)]
case("children", "ReferentialIntegrity", ["parent"], ReferentialIntegrity.compute(*keys))
case("children", "CardinalityBoundaryAdherence", ["parent"], CardinalityBoundaryAdherence.compute(*keys))
case("children", "CardinalityShapeSimilarity", ["parent"], CardinalityShapeSimilarity.compute(reals, synthetics, metadata))
for statistic in ("mean", "median", "std"):
    value = CardinalityStatisticSimilarity.compute(reals, synthetics, metadata, statistic)
    case("children", f"CardinalityStatisticSimilarity ({statistic})", ["parent"], value)
case("all tables", "Cardinality", [], Cardinality().get_score(reals, synthetics, metadata))
case("all tables", "Relationship Validity", [], RelationshipValidity().get_score(reals, synthetics, metadata))
value = trends(InterTableTrends, reals, synthetics, metadata)
as_is = trends(InterTableTrends, reals, synthetics, metadata, reference_edges=False)
note = f"sdmetrics as it is: {as_is}; it bins each table over its own range" if value != as_is else None
case("all tables", "Intertable Trends", [], value, note)

# 8. Leakage: a training table, a holdout, a table that remembers some of the training.
leak_kinds = {"amount": "float", "age": "int", "when": "datetime", "city": "text", "vip": "bool"}
leak_meta = {"amount": "numerical", "age": "numerical", "when": "datetime", "city": "categorical", "vip": "boolean"}


def people(n):
    return pd.DataFrame({
        "amount": with_nulls(rng.gamma(2, 50, n).round(2), 0.1),
        "age": rng.integers(18, 90, n),
        "when": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 86400 * 300, n), unit="s"),
        "city": with_nulls(rng.choice(["Ulm", "Bonn", "Köln", "Jena"], n), 0.05).astype(object),
        "vip": rng.random(n) < 0.2,
    })


train, holdout = people(80), people(80)
synthetic = pd.concat([train.iloc[:20], people(60)], ignore_index=True)
leak_metadata = {"tables": {"people": {"columns": {c: {"sdtype": t} for c, t in leak_meta.items()}}}}
tables["people"] = table(leak_kinds, train, synthetic) | {"roles": leak_meta, "holdout": cells(leak_kinds, holdout)}
value = DCROverfittingProtection.compute(train, synthetic, holdout, leak_metadata, "people")
case("people", "DCROverfittingProtection", [], value)
case("people", "NewRowSynthesis", [], NewRowSynthesis.compute(train, synthetic, {"columns": leak_metadata["tables"]["people"]["columns"]}))
text = [frame.assign(city=frame["city"].fillna("none"), vip=frame["vip"].astype(str)) for frame in (train, synthetic)]
text = [frame.assign(old=np.where(frame["age"] > 50, "old", "young")) for frame in text]
disclosure_kinds = {"city": "text", "old": "text", "vip": "text"}
disclosure_meta = {"city": "categorical", "old": "categorical", "vip": "categorical"}
tables["disclosure"] = table(disclosure_kinds, *text) | {"roles": disclosure_meta, "known": ["city", "old"], "sensitive": ["vip"]}
for method, name in (("cap", "CAP"), ("zero_cap", "zero CAP"), ("generalized_cap", "generalized CAP")):
    value = DisclosureProtection.compute(text[0], text[1], ["city", "old"], ["vip"], computation_method=method)
    case("disclosure", f"DisclosureProtection ({name})", ["vip", "city", "old"], value)

json.dump({"sdmetrics": sdmetrics.__version__, "tables": tables, "cases": cases}, sys.stdout, indent=None, ensure_ascii=False, separators=(",", ":"))
print()
print(f"{len(cases)} cases, {sum(c['value'] is not None for c in cases)} with a value", file=sys.stderr)
