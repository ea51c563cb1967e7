//! flagday: parse, run, exit code.

/// Composing a letter asks for memory hundreds of times, on every core at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    flagday::cli::main()
}
