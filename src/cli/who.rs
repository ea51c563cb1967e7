use super::{Global, output};
use crate::campaign::Grade;
use crate::engine::Engine;
use crate::fault::{Exit, Fault, Result};
use crate::report::failures;
use crate::report::people::{self, Filter};
use indexmap::IndexMap;

/// The people: where each one stands and how that is known
#[derive(Debug, clap::Args)]
pub struct Who {
    /// Only those below this grade: sent, delivered, read, confirmed, possessed, observed
    #[arg(long, value_name = "GRADE")]
    grade_below: Option<String>,
    #[arg(long)]
    audience: Option<String>,
    /// Only those who hold this gate
    #[arg(long, value_name = "GATE")]
    blocking: Option<String>,
    /// One person, with every piece of evidence
    #[arg(long)]
    person: Option<String>,
    /// Those whom a message did not reach, each with the server's words
    #[arg(long, conflicts_with_all = ["grade_below", "blocking", "person"])]
    failed: bool,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Who {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        if self.failed {
            return self.failures(global, &engine);
        }
        let grade_below = self.grade_below.as_deref().map(grade).transpose()?;
        let filter = Filter {
            grade_below,
            audience: self.audience.clone(),
            blocking: self.blocking.clone(),
            person: self.person.clone(),
        };
        let rows = people::who(&engine, &filter)?;
        if global.json {
            output::json(&rows)?;
        } else if self.csv {
            output::data(&people::csv(&rows)?)?;
        } else {
            let lines = rows.iter().map(|row| {
                let row = row.clone();
                vec![row.person, row.name, row.acknowledgement, row.grade.to_string(), row.state.to_owned(), row.why]
            });
            match rows.is_empty() {
                true => output::prose("Nobody: none of the people asked for stands so."),
                false => output::data(&output::table(
                    &["person", "name", "acknowledgement", "grade", "state", "why"],
                    lines,
                ))?,
            }
        }
        if let Some(word) = self.person.as_ref().filter(|_| !global.json && !self.csv) {
            let id = engine.roster.find(word)?.id.clone();
            let facts = engine.ledger().evidence_of(&id)?;
            let zone = engine.campaign.change.zone;
            let lines = facts.iter().map(|fact| {
                vec![
                    fact.id.to_string(),
                    fact.at.with_timezone(&zone).format("%F %H:%M").to_string(),
                    fact.acknowledgement.clone(),
                    fact.revision.to_string(),
                    fact.kind.words().to_owned(),
                    fact.by.clone().unwrap_or_default(),
                    if fact.revoked { format!("(revoked) {}", fact.words()) } else { fact.words() },
                ]
            });
            match facts.is_empty() {
                true => output::prose(&format!("No evidence of {id} yet.")),
                false => {
                    let titles = ["evidence", "when", "for", "revision", "what", "by", "words"];
                    output::data(&output::table(&titles, lines))?;
                }
            }
            let decided = engine.ledger().waived_and_back(&id)?;
            if !decided.is_empty() {
                let lines = decided.into_iter().map(|one| {
                    let at = one.at.with_timezone(&zone).format("%F %H:%M").to_string();
                    vec![one.what.to_owned(), at, one.acknowledgement, one.by, one.words]
                });
                output::data(&output::table(&["decision", "when", "for", "by", "words"], lines))?;
            }
        }
        Ok(Exit::Done)
    }

    fn failures(&self, global: &Global, engine: &Engine) -> Result<Exit> {
        let rows = failures::of(engine, self.audience.as_deref())?;
        if global.json {
            output::json(&rows)?;
        } else if self.csv {
            output::data(&people::csv(&rows)?)?;
        } else {
            let mut remedies: IndexMap<String, usize> = IndexMap::new();
            for row in &rows {
                *remedies.entry(row.remedy.clone()).or_default() += 1;
            }
            let lines = rows.into_iter().map(|row| {
                vec![row.person, row.name, row.email, row.notice, row.state.to_owned(), row.reason, row.row]
            });
            let titles = ["person", "name", "email", "notice", "state", "reason", "row"];
            match remedies.is_empty() {
                true => output::prose("No message is lost."),
                false => output::data(&output::table(&titles, lines))?,
            }
            for (remedy, count) in remedies.iter().filter(|(remedy, _)| !remedy.is_empty()) {
                global.hint(format!("{count} of them: {remedy}"));
            }
        }
        Ok(Exit::Done)
    }
}

fn grade(word: &str) -> Result<Grade> {
    Grade::from_word(word).ok_or_else(|| {
        let known: Vec<_> = Grade::ALL.iter().map(|grade| grade.word()).collect();
        Fault::ending(
            Exit::Usage,
            "unknown-grade",
            format!("'{word}' is no grade"),
            format!("one of {}", known.join(", ")),
        )
    })
}
