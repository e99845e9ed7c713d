"""Writes the EBS findings with DuckDB: `duckdb_ebs.py FORMAT ROWS THREADS FILE`, FORMAT being csv or parquet."""

import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
PRICES = HERE.parents[1] / "rulesets" / "common" / "ebs-prices.csv"
# The same compression as the other programs; DuckDB would take snappy.
OPTIONS = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3"}


def main():
    form, rows, threads, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("CREATE TEMP TABLE price AS SELECT * FROM read_csv(?)", [str(PRICES)])
    connection.execute((HERE / "duckdb_ebs.sql").read_text())
    target = path.replace("'", "''")
    connection.execute(f"COPY (SELECT * FROM findings({rows})) TO '{target}' ({OPTIONS[form]})")


if __name__ == "__main__":
    main()
