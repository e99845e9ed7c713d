#!/usr/bin/env python3
"""Times whole runs that make the EBS table, ours beside the yardsticks, and writes a Markdown table to stdout.

    python3 benches/end_to_end.py [--rows 1000000] [--reps 5] [--threads 1,2] [--formats csv,parquet]

The programs: `lookalike`, the engine with its ruleset; `ceiling`, a hand-written program for this one table; `DuckDB` and
`pandas`, if this Python can import them. Each run is a process of its own, start-up included; the programs take turns
within a repetition, so that a slow minute of the machine hits all of them. Only Python's standard library is needed;
Unix only, for the processor time and memory of each child come from wait4(2). Progress goes to stderr.

Peak memory has a floor of this script's own size, about 15 MiB: a child is charged for the process that it forks from.
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parent
CEILING = BENCHES / "ceiling"
RULESET = "rulesets/trusted-advisor/underutilized-ebs-volumes.yaml"


def cargo_target_dir(package):
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    return Path(json.loads(subprocess.check_output(command, cwd=package))["target_directory"])


def build(options):
    """Builds the programs that no option names and returns the paths of both."""
    ceiling, lookalike = options.ceiling, options.lookalike
    release = ["cargo", "build", "--release", "--quiet"]
    if not ceiling:
        # A folder of its own: the lock of one release build must not hold up the other.
        target = cargo_target_dir(CEILING) / "ceiling"
        ceiling = target / "release" / "ceiling"
        if not options.no_build:
            subprocess.run([*release, "--locked", "--target-dir", str(target)], cwd=CEILING, check=True)
    if not lookalike and not options.without_lookalike:
        lookalike = cargo_target_dir(ROOT) / "release" / "lookalike"
        if not options.no_build:
            subprocess.run([*release, "--bin", "lookalike"], cwd=ROOT, check=True)
    return Path(ceiling).resolve(), Path(lookalike or "lookalike").resolve()


def programs(options):
    """Pairs of a name and a function from (format, threads, folder) to a command, or to None if it cannot do that."""
    ceiling, lookalike = build(options)
    rows = str(options.rows)
    script = lambda name: [sys.executable, str(CEILING / name)]

    def run_lookalike(form, threads, folder):
        flags = ["--rows", rows, "--threads", str(threads), "--format", form, *options.flag]
        return [str(lookalike), "generate", str(options.ruleset), *flags, "-o", str(folder)]

    def run_ceiling(form, threads, folder):
        flags = ["--format", form, "--rows", rows, "--threads", str(threads)]
        return [str(ceiling), *flags, "--out", str(folder / f"findings.{form}")]

    def run_duckdb(form, threads, folder):
        return [*script("duckdb_ebs.py"), form, rows, str(threads), str(folder / f"findings.{form}")]

    def run_pandas(form, threads, folder):
        if form != "csv" or threads != 1:
            return None
        return [*script("pandas_ebs.py"), rows, str(folder / "findings.csv")]

    listed = [("ceiling", run_ceiling)]
    if not options.without_lookalike:
        listed.append(("lookalike", run_lookalike))
    if importlib.util.find_spec("duckdb"):
        listed.append(("DuckDB", run_duckdb))
    if importlib.util.find_spec("pandas") and importlib.util.find_spec("numpy"):
        listed.append(("pandas", run_pandas))
    return listed


def measure(command, folder, form):
    """One run: wall and processor seconds, peak memory in MiB, bytes of data written."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}\nfailed ({child.returncode}):\n{errors.read().decode(errors='replace')}")
    size = sum(path.stat().st_size for path in folder.rglob(f"*.{form}"))
    if size == 0:
        sys.exit(f"{' '.join(command)}\nwrote no .{form} file")
    # Linux counts the peak in KiB, macOS in bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / unit,
        "bytes": size,
    }


def markdown(options, results):
    """The table; ratios are to the ceiling of the same format and number of threads, below 1 is faster."""
    head = ["program", "format", "threads", "wall s", "fastest–slowest", "CPU s", "peak MiB", "Mrows/s"]
    head += ["Mrows per CPU s", "MB/s", "MB", "wall ÷ ceiling", "CPU ÷ ceiling"]
    lines = [head, ["---"] * 2 + ["--:"] * (len(head) - 2)]
    median = {key: {k: statistics.median(run[k] for run in runs) for k in runs[0]} for key, runs in results.items()}
    for (name, form, threads), runs in results.items():
        m, base = median[name, form, threads], median["ceiling", form, threads]
        walls = [run["wall"] for run in runs]
        millions, megabytes = options.rows / 1e6, m["bytes"] / 1e6
        lines.append(
            [name, form, str(threads)]
            + [f"{m['wall']:.3f}", f"{min(walls):.3f}–{max(walls):.3f}", f"{m['cpu']:.3f}", f"{m['peak']:.0f}"]
            + [f"{millions / m['wall']:.2f}", f"{millions / m['cpu']:.2f}", f"{megabytes / m['wall']:.0f}"]
            + [f"{megabytes:.1f}", f"{m['wall'] / base['wall']:.2f}", f"{m['cpu'] / base['cpu']:.2f}"]
        )
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--reps", type=int, default=5, help="measured runs of each, after one that is thrown away")
    parser.add_argument("--threads", type=numbers, default=[1, 2], help="e.g. 1,2")
    parser.add_argument("--formats", type=lambda text: text.split(","), default=["csv", "parquet"])
    parser.add_argument("--ruleset", default=RULESET, help="of lookalike, from the repository's root")
    parser.add_argument("--flag", action="append", default=[], help="a further flag of lookalike, as --flag=--quiet")
    parser.add_argument("--lookalike", help="path of the program (default: the release build of this repository)")
    parser.add_argument("--ceiling", help="path of the program (default: likewise)")
    parser.add_argument("--without-lookalike", action="store_true", help="time the yardsticks alone")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--dir", help="where to write, e.g. /dev/shm (default: the folder for temporary files)")
    return parser.parse_args()


def main():
    options = parse_options()
    contenders = programs(options)
    results = {}
    with tempfile.TemporaryDirectory(prefix="end-to-end-", dir=options.dir) as scratch:
        folder = Path(scratch) / "out"
        for form in options.formats:
            for threads in options.threads:
                for rep in range(options.reps + 1):
                    for name, command_for in contenders:
                        command = command_for(form, threads, folder)
                        if command is None:
                            continue
                        run = measure(command, folder, form)
                        print(f"{form} ×{threads} {rep} {name}: {run['wall']:.3f} s", file=sys.stderr)
                        # The first run warms the caches of the machine and is not counted.
                        if rep > 0:
                            results.setdefault((name, form, threads), []).append(run)
    print(f"{options.rows:,} rows, median of {options.reps} runs; {processor()}, {os.cpu_count()} cores.\n")
    print(markdown(options, results))


if __name__ == "__main__":
    try:
        main()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(str(error))
