# What every change must pass. `scripts/test` runs `check` and installs `just` where it is missing.

export RUSTDOCFLAGS := "-D warnings"

# All of it.
check: fmt clippy fixtures test tables python spark doc lib bench browser book fuzz soak msrv

# Formatting.
fmt:
    cargo fmt --all --check

# Lints, of every target.
clippy:
    cargo clippy --all-targets -- -D warnings

# The fixture families are of the kinds they claim, and the feed is built from them.
fixtures:
    python3 scripts/fixtures.py check --built

# Unit tests, integration tests, doctests.
test:
    cargo test --quiet

# Tables in Parquet, Arrow and SQLite as others read and write them; installs pyarrow into target/tools.
tables:
    scripts/tables

# The Python package: lints, wheel, types, pytest; installs what that needs into target/tools.
python:
    cargo clippy -p samestory-python -- -D warnings
    scripts/python

# The package on Spark: on Sail and on Spark in one process; `scripts/spark-test full` has a cluster too. Installs Java 17
# and, into target/tools, PySpark and Sail.
spark:
    scripts/spark-test quick

# Documentation without warnings.
doc:
    cargo doc --no-deps --quiet

# The library alone, without the command line's dependencies, with tables, with report and Arrow; the command line without
# Parquet, and with HTML pages.
lib:
    cargo clippy --lib --no-default-features -- -D warnings
    cargo clippy --lib --bins --no-default-features --features cli -- -D warnings
    cargo clippy --lib --features html -- -D warnings
    cargo clippy --lib --no-default-features --features tables -- -D warnings
    cargo clippy --lib --no-default-features --features report,arrow -- -D warnings
    test -z "$(cargo tree --no-default-features --edges normal --prefix none | grep '^clap ')"

# Each bench once, with its result asserted.
bench:
    cargo bench --profile test --bench stages -- --test

# The report in a real browser, offline; installs Debian's chromium where it is missing and this is root, and says so
# where it cannot.
browser:
    scripts/browser-test --or-skip

# The book of docs/, and every relative link of it and of the files here; installs mdbook where it is missing.
book:
    scripts/book

# A minute of fuzzing in all, from what was found before.
fuzz:
    scripts/fuzz 60

# A minute of a filter at full rate, killed, started again and compacted.
soak:
    scripts/index-trials soak 1

# The smallest compiler.
msrv:
    scripts/msrv

# Licences, advisories and sources of dependencies.
deny:
    scripts/deny

# All commands without a network, and without one call for it.
offline:
    cargo build --release --quiet
    scripts/offline
