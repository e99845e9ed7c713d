//! The program `lookalike`.

fn main() -> std::process::ExitCode {
    lookalike::cli::lookalike()
}
