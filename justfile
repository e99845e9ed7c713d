# The menu. `just check` is what has to pass before a change is proposed.

default:
    @just --list

# Format, lints, tests, documentation.
check:
    .ci/run

# The EBS findings, as the README shows.
ebs rows="1000":
    cargo run --release -- generate rulesets/trusted-advisor/underutilized-ebs-volumes.yaml --rows {{rows}}

# The airline's tables, a million reservations of them, and what a database says to them.
airline scale="210":
    cargo run --release -- generate rulesets/relational/airline-reservations.yaml --scale {{scale}} --format csv --no-report -o outputs/airline
    LOOKALIKE_AIRLINE=outputs/airline cargo test --workspace --test it -- --ignored airline

# The consultancy's figures: its table, made up, and what may be told of it.
consultancy epsilon="2":
    cargo run --release -- generate rulesets/consultancy/underutilized-volumes.yaml --format csv -o outputs/consultancy
    cargo run --release -- release outputs/consultancy/volumes.csv --rules rulesets/consultancy/release.yaml \
        --epsilon {{epsilon}} --delta 1e-6 --state outputs/consultancy/budget.jsonl -o outputs/consultancy/release

# Rewrite what is generated and tested: the JSON Schema, snapshots and golden digests. Read the diff before you commit it.
golden:
    LOOKALIKE_UPDATE=1 INSTA_UPDATE=always cargo test --workspace

# The book, in a browser (needs mdbook).
book:
    mdbook serve docs --open

# Rows per second of every kind and sink; then whole runs against a hand-written program.
bench rows="1000000":
    cargo bench -p lookalike-core -p lookalike-engine -p lookalike-io
    python3 benches/end_to_end.py --rows {{rows}}

# What has changed in the library's interface since a tag or another revision (needs cargo-semver-checks).
semver rev:
    cargo semver-checks --workspace --baseline-rev {{rev}}

# Rows in arrow-rs, then SQL over them by DataFusion, which takes long to build.
arrow:
    cp Cargo.lock examples/arrow/ && cargo run --manifest-path examples/arrow/Cargo.toml
    cp Cargo.lock examples/datafusion/ && cargo run --manifest-path examples/datafusion/Cargo.toml

# Licences and advisories of the dependencies (needs cargo-deny).
deny:
    cargo deny check
