//! `lookalike completions`: completion scripts.

use clap_complete::Shell;

use crate::cli::failure::Failure;
use crate::cli::terminal;

/// Arguments of `completions`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike completions bash > ~/.local/share/bash-completion/completions/lookalike
  lookalike completions zsh  > ~/.zfunc/_lookalike")]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args, mut command: clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "lookalike", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))
}
