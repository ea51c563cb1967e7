//! flagday: parse, run, exit code.

/// A letter is a hundred small pieces, made on one core and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    flagday::cli::main()
}
