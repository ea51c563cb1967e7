//! One run of the program: what it was asked, how it ended, what it printed where.

use assert_cmd::Command;
use serde_json::Value;
use std::time::Duration;

/// The program, alone: no terminal, nothing to read, no colour forced by whoever runs the tests.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flagday"));
    for variable in ["CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.timeout(Duration::from_secs(120));
    command
}

pub struct Run {
    asked: String,
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Run {
        let output = command.output().expect("the program runs");
        Run {
            asked: format!("{command:?}"),
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            err: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
        }
    }

    /// Ended with this exit code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Printed this, as data or as prose.
    #[track_caller]
    pub fn says(self, text: &str) -> Run {
        assert!(self.out.contains(text) || self.err.contains(text), "{text:?} is missing\n{self}");
        self
    }

    #[track_caller]
    pub fn is_silent_about(self, text: &str) -> Run {
        assert!(!self.out.contains(text) && !self.err.contains(text), "{text:?} is there\n{self}");
        self
    }

    /// Complained with this code, on stderr, and said what to do.
    #[track_caller]
    pub fn refuses(self, code: &str) -> Run {
        assert!(self.err.contains(&format!("error[{code}]: ")) && self.err.contains("\n  = "), "no {code}\n{self}");
        self
    }

    /// The data, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nended with {}\n--- out\n{}--- err\n{}", self.asked, self.code, self.out, self.err)
    }
}
