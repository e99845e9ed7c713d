"""The EBS findings as the published sample makes them, in NumPy and pandas: `pandas_ebs.py ROWS FILE.csv [SEED]`.

A yardstick for `end_to_end.py`: what somebody who knows pandas would write for the same rules. Draws and rules work on
whole columns, text is made by comprehension. The rules, odd ones included, are those of
`underutilized-ebs-volumes-as-published.yaml`.
"""

import sys

import numpy as np
import pandas as pd

REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"]
TYPES = {"gp2": 0.40, "gp3": 0.20, "io1": 0.10, "io2": 0.10, "st1": 0.10, "sc1": 0.05, "standard": 0.05}
CLIPS = {"gp2": (1, 16384), "io1": (4, 16384), "st1": (500, 16384), "sc1": (500, 16384)}
ROLES = ["app", "db", "web", "cache", "log"]
STAGES = ["prod", "dev", "test", "staging"]
KINDS = ["oversized_volume", "old_snapshot", "high_cost_low_size", "mismatched_type", "very_old_volume"]


def hex_ids(rng, prefix, n):
    """Ids of 21 digits, as the sample has them: the mark 9999 and 17 more."""
    digits = rng.bytes(9 * n).hex()
    return [f"{prefix}-9999{digits[18 * i : 18 * i + 17]}" for i in range(n)]


def names(rng, n):
    roles, stages, numbers = rng.choice(ROLES, n), rng.choice(STAGES, n), rng.integers(1, 101, n)
    return [f"{role}-{stage}-{number}" for role, stage, number in zip(roles, stages, numbers)]


def findings(n, rng):
    frame = pd.DataFrame(
        {
            "Region": rng.choice(REGIONS, n),
            "Volume ID": hex_ids(rng, "vol", n),
            "Volume Name": pd.Series(names(rng, n), dtype="string").where(rng.random(n) < 0.7),
            "Volume Type": rng.choice(list(TYPES), n, p=list(TYPES.values())),
            "Volume Size": rng.integers(1, 1001, n),
        }
    )
    for kind, (low, high) in CLIPS.items():
        of_kind = frame["Volume Type"] == kind
        frame.loc[of_kind, "Volume Size"] = frame.loc[of_kind, "Volume Size"].clip(low, high)

    cost = frame["Volume Size"] * rng.uniform(0.05, 0.15, n)
    cost = cost.where(~frame["Volume Type"].isin(["io1", "io2"]), cost * 1.5)
    frame["Monthly Storage Cost"] = cost

    has_snapshot = rng.random(n) < 0.6
    snapshot_names = pd.Series([f"{name}-snapshot" for name in names(rng, n)], dtype="string")
    ages = pd.Series(rng.integers(1, 366, n), dtype="Int64")
    frame["Snapshot ID"] = pd.Series(hex_ids(rng, "snap", n), dtype="string").where(has_snapshot)
    frame["Snapshot Name"] = snapshot_names.where(has_snapshot & (rng.random(n) < 0.4))
    frame["Snapshot Age"] = ages.where(has_snapshot & (rng.random(n) < 0.6))

    frame["Underutilized"] = rng.random(n) < 0.7
    frame.loc[frame["Underutilized"], "Monthly Storage Cost"] *= rng.uniform(1.2, 2.0)
    return frame


def add_anomalies(frame, rng, rate=0.10):
    chosen = rng.choice(len(frame), int(len(frame) * rate), replace=False)
    kinds = rng.choice(KINDS, len(chosen))
    frame["Anomaly"] = pd.Series(pd.NA, index=frame.index, dtype="string")
    frame.loc[chosen, "Anomaly"] = kinds
    rows = {kind: chosen[kinds == kind] for kind in KINDS}

    at = rows["oversized_volume"]
    frame.loc[at, "Volume Size"] = (frame.loc[at, "Volume Size"] * rng.uniform(5, 10, len(at))).astype("int64")
    frame.loc[at, "Monthly Storage Cost"] *= rng.uniform(5, 10, len(at))

    at = rows["old_snapshot"]
    frame.loc[at, "Snapshot Age"] = rng.integers(365, 1001, len(at))

    at = rows["high_cost_low_size"]
    frame.loc[at, "Volume Size"] = rng.integers(1, 11, len(at))
    frame.loc[at, "Monthly Storage Cost"] *= rng.uniform(10, 20, len(at))

    at = rows["mismatched_type"]
    general = frame.loc[at, "Volume Type"].isin(["gp2", "gp3"]).to_numpy()
    swapped = np.where(general, rng.choice(["io1", "io2"], len(at)), rng.choice(["gp2", "gp3"], len(at)))
    frame.loc[at, "Volume Type"] = swapped

    at = rows["very_old_volume"]
    frame.loc[at, "Volume Name"] = [f"old-volume-{number}" for number in rng.integers(1, 101, len(at))]
    aged = at[frame.loc[at, "Snapshot Age"].notna().to_numpy()]
    frame.loc[aged, "Snapshot Age"] = rng.integers(1000, 2001, len(aged))


def main():
    rows, path = int(sys.argv[1]), sys.argv[2]
    rng = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 42)
    frame = findings(rows, rng)
    add_anomalies(frame, rng)
    frame["Monthly Storage Cost"] = frame["Monthly Storage Cost"].round(2)
    frame.to_csv(path, index=False)


if __name__ == "__main__":
    main()
