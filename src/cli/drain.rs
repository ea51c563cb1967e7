use super::{Global, blocking, output};
use crate::engine::{DrainLook, DrainRow};
use crate::fault::{Exit, Fault, Finding, Result};
use crate::platform::Signals;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::io::IsTerminal;
use std::time::Duration;

/// Who has fetched their mail since the broadcast
#[derive(Debug, clap::Args)]
pub struct Drain {
    /// Look again and again until everybody is done; Ctrl-C ends it, and the next run goes on
    #[arg(long)]
    watch: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "watch")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
}

/// One look, and the zone to tell it in.
struct Seen {
    look: DrainLook,
    zone: Tz,
}

impl Drain {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        if self.watch {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            return runtime.block_on(self.watch(global));
        }
        let seen = look(global)?;
        if global.json {
            output::json(&seen.look)?;
        } else {
            output::findings(&seen.look.findings, global.verbose);
            output::text(&format!("{}{}", head(&seen), table(&seen, seen.look.people.iter())))?;
            output::text(&what_to_do(&seen.look))?;
        }
        Ok(ended(global, &seen.look))
    }

    /// Looks until the gate is open. The campaign is held for the moment of a look only, so that statements can be made
    /// meanwhile from another terminal.
    async fn watch(&self, global: &Global) -> Result<Exit> {
        let mut stop = Signals::new()?;
        let mut last: Option<DrainLook> = None;
        loop {
            match look(global) {
                Ok(seen) => {
                    show(global, &seen, last.as_ref())?;
                    if seen.look.is_over() {
                        return Ok(ended(global, &seen.look));
                    }
                    last = Some(seen.look);
                }
                Err(fault) if may_pass(&fault, last.is_some()) => {
                    output::prose(&format!("{}; looking again in {} s", fault.cause(), self.every));
                }
                Err(fault) => return Err(fault),
            }
            tokio::select! {
                biased;
                () = stop.next() => {
                    global.hint("Stopped. What was seen is on record; `flagday cutover drain --watch` goes on.");
                    return Ok(Exit::Waiting);
                }
                () = tokio::time::sleep(Duration::from_secs(self.every)) => {}
            }
        }
    }
}

/// Opens the campaign anew each time: rosters, statements and waivers may have changed.
fn look(global: &Global) -> Result<Seen> {
    let (mut engine, _lock) = global.open_locked("cutover drain")?;
    Ok(Seen { look: engine.drain()?, zone: engine.campaign.change.zone })
}

/// A share that is away for a moment, or a run beside this one, is no reason to end a watch of hours.
fn may_pass(fault: &Fault, looked_before: bool) -> bool {
    let share = |code: &str| ["io", "postoffice-unreadable", "not-a-postoffice"].contains(&code);
    fault.exit == Exit::Busy || looked_before && fault.findings.iter().all(|finding| share(finding.code))
}

fn ended(global: &Global, look: &DrainLook) -> Exit {
    if look.is_over() {
        global.hint("Next: flagday cutover");
        return Exit::Done;
    }
    if look.gate.open && look.at < look.not_before {
        global.hint("Next: flagday cutover drain --watch; it ends when the cutover can go on");
        return Exit::Waiting;
    }
    global.hint(
        "Next: flagday cutover drain --watch; for whom the files cannot tell: \
                 flagday cutover attest drain --person PERSON --by NAME --note TEXT",
    );
    Exit::Waiting
}

/// The live view: the whole of it on a terminal, what is new everywhere else.
fn show(global: &Global, seen: &Seen, last: Option<&DrainLook>) -> Result<()> {
    let look = &seen.look;
    if global.json {
        return output::data(&serde_json::to_string(look)?);
    }
    if std::io::stdout().is_terminal() {
        let open = look.people.iter().filter(|row| holds(row));
        let done: Vec<&str> = look.people.iter().filter(|row| !holds(row)).map(|row| row.person.as_str()).collect();
        let done = if done.is_empty() { String::new() } else { format!("\ndone: {}\n", done.join(", ")) };
        // Home, and everything below it away.
        return output::text(&format!(
            "\x1b[H\x1b[2J{}{}\n{}{}{}",
            head(seen),
            table(seen, open),
            what_to_do(look),
            what_is_wrong(look),
            output::clean(&done)
        ));
    }
    let Some(last) = last else {
        output::findings(&look.findings, global.verbose);
        return output::text(&format!("{}{}", head(seen), table(seen, look.people.iter())));
    };
    let new = |finding: &&Finding| !last.findings.contains(finding);
    output::findings(&look.findings.iter().filter(new).cloned().collect::<Vec<_>>(), global.verbose);
    let known = |row: &&DrainRow| last.people.contains(row);
    let mut text = String::new();
    for row in look.people.iter().filter(|row| !known(row)) {
        text += &format!("{}  {}: {} ({})\n", clock(look.server_now, seen.zone), row.person, row.state, row.why);
    }
    if !text.is_empty() {
        text += &format!("{}  {} of {} done\n", clock(look.server_now, seen.zone), look.gate.satisfied, look.gate.of);
        output::text(&output::clean(&text))?;
    }
    Ok(())
}

fn holds(row: &DrainRow) -> bool {
    matches!(row.state, "not-yet" | "unseen")
}

fn head(seen: &Seen) -> String {
    let look = &seen.look;
    let mut head = format!(
        "{} of {} have fetched their mail. By the file server's clock: broadcast {}, now {}\n",
        look.gate.satisfied,
        look.gate.of,
        clock(look.broadcast, seen.zone),
        clock(look.server_now, seen.zone)
    );
    if look.gate.open && look.at < look.not_before {
        head += &format!(
            "everybody is done; the cutover goes on at {}, when every client that is signed in has looked for mail\n",
            clock(look.not_before, seen.zone)
        );
    } else if !look.gate.open && look.server_now < look.patience {
        head += &format!(
            "nobody is late before {}: until then a client that is signed in may not have looked for mail\n",
            clock(look.patience, seen.zone)
        );
    }
    head + "\n"
}

fn table<'a>(seen: &Seen, rows: impl Iterator<Item = &'a DrainRow>) -> String {
    let mut rows: Vec<&DrainRow> = rows.collect();
    rows.sort_by_key(|row| !holds(row));
    output::table(
        &["person", "state", "mailbag", "store written"],
        rows.into_iter().map(|row| {
            let mailbag = match (row.mailbag, row.marked_deleted) {
                (None, _) => "?".to_owned(),
                (Some(0), _) => "empty".to_owned(),
                (Some(left), None | Some(0)) => format!("{left}"),
                (Some(left), Some(marked)) => format!("{left}, {marked} deleted"),
            };
            let store = row.store.map_or("none".to_owned(), |at| clock(at, seen.zone));
            vec![row.person.clone(), row.state.to_owned(), mailbag, store]
        }),
    )
}

fn what_to_do(look: &DrainLook) -> String {
    match look.gate.blocking.is_empty() {
        true => String::new(),
        false => format!("\nto be done:\n{}", blocking::text(&look.gate)),
    }
}

/// What is nobody's to do whom the table names.
fn what_is_wrong(look: &DrainLook) -> String {
    let errors = look.findings.iter().filter(|finding| finding.is_error());
    output::clean(&errors.map(|one| format!("\n{}\n  to do: {}\n", one.cause, one.remedy)).collect::<String>())
}

fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %H:%M:%S %Z").to_string()
}
