//! One target: inputs until its time is over. What fails, panics or takes too long is told with its seed, made smaller,
//! and kept.

use crate::dice::{self, Dice};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// Of an ordinary test run.
const SHORT: Duration = Duration::from_millis(400);
/// No input takes so long.
const STUCK: Duration = Duration::from_secs(30);
/// To make what fails smaller.
const SMALLER: Duration = Duration::from_secs(5);

/// What is wrong with what was made of an input.
pub type Verdict = Result<(), String>;

/// Feeds `judge` the inputs kept before, then what `make` makes.
pub fn hunt(name: &str, mut make: impl FnMut(&mut Dice) -> Vec<u8>, judge: impl Fn(&[u8]) -> Verdict) -> Verdict {
    quiet();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    for file in kept(&folder) {
        let input = fs_err::read(&file).map_err(|error| error.to_string())?;
        guarded(&judge, &input).map_err(|why| format!("{} fails again: {why}", file.display()))?;
    }
    let seed = dice::seed();
    let mut dice = Dice::new(seed);
    let watch = Watch::over(name, seed, &folder);
    let until = Instant::now() + budget();
    let mut cases = 0u64;
    while Instant::now() < until {
        let input = make(&mut dice);
        watch.sees(&input);
        if let Err(why) = guarded(&judge, &input) {
            let small = smaller(&judge, input);
            let file = keep(&folder, &small);
            return Err(format!(
                "case {cases} of FLAGDAY_FUZZ_SEED={seed}: {why}\nkept as {}, {} octets:\n{}",
                file.display(),
                small.len(),
                String::from_utf8_lossy(&small)
            ));
        }
        cases += 1;
    }
    eprintln!("{name}: {cases} inputs of seed {seed}");
    if cases == 0 { Err("its time was over before the first input".to_owned()) } else { Ok(()) }
}

fn budget() -> Duration {
    let asked = std::env::var("FLAGDAY_FUZZ_SECONDS").ok().map(|text| text.parse().expect("a number of seconds"));
    asked.map_or(SHORT, Duration::from_secs_f64)
}

/// A panic is a failure like another.
fn guarded(judge: &impl Fn(&[u8]) -> Verdict, input: &[u8]) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| judge(input))).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        Err(format!("it panicked: {}", words.unwrap_or_default()))
    })
}

/// Pieces are left out for as long as it still fails.
fn smaller(judge: &impl Fn(&[u8]) -> Verdict, mut input: Vec<u8>) -> Vec<u8> {
    let until = Instant::now() + SMALLER;
    let mut piece = input.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < input.len() && Instant::now() < until {
            let mut less = input.clone();
            less.drain(at..(at + piece).min(less.len()));
            if guarded(judge, &less).is_err() {
                input = less;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    input
}

fn kept(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn keep(folder: &Path, input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let file = folder.join(format!("{:016x}", hasher.finish()));
    fs_err::create_dir_all(folder).expect("a folder");
    fs_err::write(&file, input).expect("written");
    file
}

/// Panics that are caught say nothing: the parser under us has some, which the program bears.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| ())));
}

/// Looks after an input that does not come to an end: nothing else could tell which one it was.
struct Watch {
    input: Arc<Mutex<Vec<u8>>>,
    beat: Sender<()>,
}

impl Watch {
    fn over(name: &str, seed: u64, folder: &Path) -> Watch {
        let (beat, beats) = channel();
        let input: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (seen, name, folder) = (Arc::clone(&input), name.to_owned(), folder.to_owned());
        std::thread::spawn(move || {
            loop {
                match beats.recv_timeout(STUCK) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        let input = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                        let file = keep(&folder, &input);
                        eprintln!(
                            "{name}: an input of FLAGDAY_FUZZ_SEED={seed} has no end; kept as {}",
                            file.display()
                        );
                        std::process::exit(1);
                    }
                }
            }
        });
        Watch { input, beat }
    }

    fn sees(&self, input: &[u8]) {
        input.clone_into(&mut self.input.lock().unwrap_or_else(PoisonError::into_inner));
        self.beat.send(()).ok();
    }
}
