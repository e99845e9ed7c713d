"""Loads scripts in DuckDB's dialect into DuckDB, and compares every table with the Parquet file of the same run.

    lookalike generate rulesets/relational/airline-reservations.yaml --format sql,parquet --sql-dialect duckdb -o airline
    pip install duckdb && python3 tests/it/databases/compare_duckdb.py airline

It is run by hand, when something about SQL has changed: DuckDB takes too long to build for the tests.
"""

import json
import pathlib
import sys

import duckdb


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def compare(folder: pathlib.Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (script,) = (file["file"] for file in manifest["files"] if file["format"] == "sql" and file["holds"] == "rows")
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.execute((folder / script).read_text())
    rows = 0
    for table in manifest["tables"]:
        columns = ", ".join(quoted(column["name"]) for column in table["columns"])
        loaded = f"SELECT {columns} FROM {quoted(table['name'])}"
        (parquet,) = (file["file"] for file in table["files"] if file["format"] == "parquet" and file["holds"] == "rows")
        made = f"SELECT {columns} FROM read_parquet('{folder / parquet}')"
        count = lambda query: database.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
        assert count(loaded) == table["rows"], table["name"]
        lost, new = count(f"{made} EXCEPT ALL {loaded}"), count(f"{loaded} EXCEPT ALL {made}")
        assert (lost, new) == (0, 0), f"{table['name']}: {lost} rows lost, {new} made up"
        rows += table["rows"]
    kinds = "SELECT constraint_type, count(*) FROM duckdb_constraints() GROUP BY 1 ORDER BY 1"
    said = ", ".join(f"{count} {kind}" for kind, count in database.execute(kinds).fetchall())
    print(f"{folder}: {len(manifest['tables'])} tables, {rows} rows, all as made; {said} (DuckDB {duckdb.__version__})")


for folder in sys.argv[1:]:
    compare(pathlib.Path(folder))
