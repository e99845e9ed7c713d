//! The program `generate`: `lookalike generate` under a name of its own.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    lookalike::cli::generate()
}
