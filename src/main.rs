//! flagday: parse, run, exit code.

fn main() -> std::process::ExitCode {
    flagday::cli::main()
}
