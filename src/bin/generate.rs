//! The program `generate`: `lookalike generate` under a name of its own.

fn main() -> std::process::ExitCode {
    lookalike::cli::generate()
}
