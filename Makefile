# Two commands do everything: `make run` and `make test`. `make run ONCE=1` ends after the call.
.PHONY: run test soak bench lint build

run:
	tests/lab/install.sh run
	cargo build --workspace
	cargo run --quiet --bin tandem-demo -- $(if $(ONCE),--once)

build:
	cargo build --workspace --all-targets

test: lint
	tests/lab/install.sh test
	cargo build --workspace --all-targets
	cargo test --workspace

soak:
	tests/lab/install.sh test
	cargo build --workspace --all-targets
	TANDEM_SOAK=1 cargo test --workspace --release

bench:
	tests/lab/install.sh test
	cargo build --release --workspace
	cargo bench --workspace

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
