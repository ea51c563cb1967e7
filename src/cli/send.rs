use super::confirm::confirm;
use super::status::at_old_address;
use super::{Global, interrupt, output};
use crate::campaign::Uncertain;
use crate::engine::{Engine, Sent, To, kept_waiting_words};
use crate::fault::{Exit, Finding, Result, Severity};
use crate::outbox::{Outcome, Progress};
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// From so many messages on, how fast they went is told unasked.
const MANY: usize = 1000;
const PACED: &str = "wait for the pace set in [mail]; the next round goes on with it, after what falls due meanwhile";
const CARRYING: &str = "{bar:30} {pos} of {len} settled, {rate}, {eta} left";

/// Send what is due, or one notice now
#[derive(Debug, clap::Args)]
pub struct Send {
    /// The notice to send now, whatever its date
    notice: Option<String>,
    /// PERSON…, `unanswered` or `failed`
    #[arg(long, num_args = 1.., value_name = "WHO")]
    to: Vec<String>,
    /// At most this many messages, those that wait first
    #[arg(long, value_parser = at_least_one)]
    limit: Option<usize>,
    /// Another copy for people who have it already; needs NOTICE and --to
    #[arg(long, requires = "notice", requires = "to")]
    again: bool,
    /// Tell a date that is nearer than the campaign's minimum notice
    #[arg(long)]
    short_notice: bool,
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("nothing would be sent; 1 is the least".to_owned()),
        Ok(limit) => Ok(limit),
        Err(error) => Err(error.to_string()),
    }
}

impl Send {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let (mut engine, _lock) = global.open_locked("send")?;
        let to = match self.to.as_slice() {
            [] => To::Everyone,
            [one] if one == "unanswered" => To::Unanswered,
            [one] if one == "failed" => To::Failed,
            people => To::People(people.to_vec()),
        };
        let what = match &self.notice {
            Some(notice) => format!("Sending '{notice}' for {}", engine.campaign.title),
            None => format!("Sending what is due for {}", engine.campaign.title),
        };
        engine.short_notice = self.short_notice;
        let notice = self.notice.as_deref();
        if to != To::Failed {
            output::findings(&engine.unread_findings(notice)?, false);
            output::findings(&engine.past_due(notice)?, false);
        }
        asking(&engine, global, &what, notice, &to, self.limit, self.again)?;
        let sent =
            with_progress(global, |stop, progress| engine.send(notice, &to, self.limit, self.again, stop, progress))?;
        finish(&engine, global, &sent)
    }
}

/// Asks whether a round is to go on, and says for how many messages that is; where there are none, nobody.
pub fn ask(engine: &Engine, global: &Global, what: &str) -> Result<()> {
    let held = engine.held_by_pause()?.map(|one| {
        let until = one.until.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
        format!(" (delivery is paused until {until}, and nothing leaves before)")
    });
    let what = format!("{what}{}", held.unwrap_or_default());
    asking(engine, global, &what, None, &To::Everyone, None, false)
}

fn asking(
    engine: &Engine,
    global: &Global,
    what: &str,
    notice: Option<&str>,
    to: &To,
    limit: Option<usize>,
    again: bool,
) -> Result<()> {
    if global.yes {
        return Ok(());
    }
    let (messages, queued) = engine.forecast(notice, to, limit, again)?;
    if messages == 0 && engine.is_idle()? {
        return Ok(());
    }
    confirm(global, &format!("{what}: {}", Sent::asked_about(messages, queued)))
}

/// Sends with a progress bar on a terminal; interrupted, it ends after the messages in hand.
pub fn with_progress(
    global: &Global,
    work: impl FnOnce(&AtomicBool, &mut dyn FnMut(Progress<'_>)) -> Result<Sent>,
) -> Result<Sent> {
    let bar = if global.quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    };
    bar.set_style(style("{spinner} composing messages, {elapsed}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    let stop = interrupt::flag()?;
    // Each connection has the same trouble at about the same time: it is told anew when the pause grows.
    let mut last = (String::new(), 0);
    let mut settled = Sent::default();
    let sent = work(&stop, &mut |progress| match progress {
        Progress::Due(messages) => {
            // The rate is that of sending, from here on.
            bar.reset();
            bar.set_length(messages as u64);
            bar.set_style(carrying());
        }
        Progress::Settled { outcome, .. } => {
            if !matches!(outcome, Outcome::Released { .. }) {
                bar.inc(1);
            }
            match outcome {
                Outcome::Sent { .. } | Outcome::Stored { .. } => settled.sent += 1,
                Outcome::Deferred { .. } | Outcome::Broken { .. } => settled.deferred += 1,
                Outcome::Failed { .. } => settled.failed += 1,
                Outcome::Uncertain { .. } => settled.uncertain += 1,
                _ => {}
            }
        }
        Progress::Trouble { finding, pause, .. } => {
            let seconds = pause.as_secs();
            if last.0 != finding.cause || !(last.1 / 2 + 1..=last.1 * 3 / 2).contains(&seconds) {
                bar.suspend(|| output::prose(&format!("{}; again in {seconds} s", finding.cause)));
                last = (finding.cause.clone(), seconds);
            }
        }
        // The sums at the end name it, with the remedy.
        Progress::Stopped { .. } | Progress::Pulse => {}
    });
    bar.finish_and_clear();
    let begun = settled != Sent::default();
    if sent.is_err() && begun {
        output::prose(&format!("Before it was broken off: {}", results(&settled)));
    }
    sent
}

/// What became of the messages that were tried.
fn results(sent: &Sent) -> String {
    format!("{} sent, {} deferred, {} failed, {} uncertain", sent.sent, sent.deferred, sent.failed, sent.uncertain)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn carrying() -> ProgressStyle {
    style(CARRYING).with_key("rate", rate)
}

/// In the terminal's own colour.
fn rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // Where it cannot be written there is nobody to tell.
    let _ = match state.per_sec() {
        slow if slow < 10.0 => write!(out, "{slow:.1}/s"),
        fast => write!(out, "{fast:.0}/s"),
    };
}

/// How fast it went, for whoever asks or has waited.
fn pace(sent: &Sent) -> String {
    let (planning, carrying) = (sent.planning.as_secs_f64(), sent.carrying.as_secs_f64());
    let rate = sent.sent as f64 / carrying.max(0.001);
    format!("Composed and planned in {planning:.1} s, carried in {carrying:.1} s: {rate:.0} a second")
}

/// Tells what came of it.
pub fn finish(engine: &Engine, global: &Global, sent: &Sent) -> Result<Exit> {
    if global.json {
        output::json(sent)?;
    } else {
        output::data(&format!("{} planned, {}", sent.planned, results(sent)))?;
    }
    if global.verbose || sent.sent >= MANY {
        global.hint(pace(sent));
    }
    match sent.readdressed {
        0 => {}
        1 => output::prose("one message that waited was written anew, to the address that the roster has now"),
        n => output::prose(&format!(
            "{n} messages that waited were written anew, to the addresses that the roster has now"
        )),
    }
    match sent.redated {
        0 => {}
        1 => output::prose("one message that waited was written anew: it bore the date of a clock that was ahead"),
        n => output::prose(&format!(
            "{n} messages that waited were written anew: they bore the date of a clock that was ahead"
        )),
    }
    match sent.gone_on {
        0 => {}
        1 => output::prose(
            "one escalation that waited is not sent: mail to that address comes back; the next in the chain is asked",
        ),
        n => output::prose(&format!(
            "{n} escalations that waited are not sent: mail to these addresses comes back; the next in the chain is asked"
        )),
    }
    match sent.nobody_left {
        0 => {}
        1 => output::prose(
            "one escalation that waited is held: mail to that address comes back, and nobody else is left to write to; somebody has to call",
        ),
        n => output::prose(&format!(
            "{n} escalations that waited are held: mail to these addresses comes back, and nobody else is left to write to; somebody has to call"
        )),
    }
    output::findings(&sent.shipped, true);
    for (class, failure) in &sent.failures {
        output::prose(&failure.sentence(class));
    }
    for one in &sent.failed_before {
        output::prose(&format!(
            "{} to {} did not arrive, and was not tried again ({}). flagday send --to failed does so; another letter in its \
             place: flagday send {} --to {} --again",
            one.notice, one.person, one.reply, one.notice, one.person
        ));
    }
    let zone = engine.campaign.change.zone;
    let hour = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %F %H:%M %Z").to_string();
    for deferral in sent.deferrals.values() {
        output::prose(&deferral.deferral(&hour));
    }
    let released = match engine.aborted()? {
        Some(_) => "did not leave",
        None => "went back to the queue unsent; the next `flagday send` tries them again",
    };
    if sent.yielded {
        output::prose(&format!("{} {PACED}", sent.waiting));
    }
    for (count, what) in [
        (if sent.yielded { 0 } else { sent.released }, released),
        (sent.expired, "are held, because their time is over; `flagday who --failed` names them"),
        (sent.moot, "were not needed any more at the instant of sending: an answer had come, or mail had come back"),
    ] {
        if count > 0 {
            output::prose(&format!("{count} {what}"));
        }
    }
    for one in &sent.urgent {
        output::prose(&one.words(&hour));
    }
    for one in &sent.asleep {
        output::prose(&one.words(&hour));
    }
    if sent.kept_waiting > 0 {
        output::prose(&format!("held: {}", kept_waiting_words(sent.kept_waiting)));
        for one in engine.unread()? {
            output::prose(&format!("  {}", one.words(&hour)));
        }
    }
    // Where others went on it has done no harm.
    let severity = if sent.ended { Severity::Error } else { Severity::Warning };
    let stopped: Vec<Finding> = sent.stopped.iter().map(|one| Finding { severity, ..one.clone() }).collect();
    output::findings(&stopped, true);
    if sent.resting > 0 {
        output::prose(&format!(
            "{} in doubt for less than ten minutes: a delivery report may come first",
            sent.resting
        ));
    }
    if sent.in_doubt > sent.uncertain + sent.resting {
        let (count, status) = (sent.in_doubt - sent.uncertain - sent.resting, "flagday status names");
        output::prose(&match count {
            1 => format!("one message of an earlier run may have arrived or not; {status} it"),
            _ => format!("{count} messages of an earlier run may have arrived or not; {status} them"),
        });
    }
    let mut held: Vec<&str> = Vec::new();
    for entry in &sent.late {
        let name = entry.notice.as_deref().unwrap_or("");
        // Everywhere it is due at another hour; the first one says enough.
        if held.contains(&name) {
            continue;
        }
        held.push(name);
        let (at, send) = (hour(entry.at), engine.send_by_name(name)?);
        output::prose(&format!(
            "held: '{name}' was due {at}, and late notices are not sent blindly. To send it: {send}"
        ));
    }
    for task in &sent.tasks {
        output::prose(&format!("to do: {}", task.what));
    }
    match sent.doubted_twice {
        0 => {}
        1 => output::prose("one message is held: in doubt twice; flagday status names it and says what to do"),
        n => output::prose(&format!(
            "{n} messages are held: in doubt twice; flagday status names them and says what to do"
        )),
    }
    if sent.further > 0 {
        output::prose(&format!(
            "{} of these may have arrived before: the same bytes and Message-ID, so that a mail system can drop the double",
            sent.further
        ));
    }
    for doubt in sent.in_doubt_still.values() {
        output::prose(&doubt.doubt());
    }
    for one in engine.at_old_addresses()? {
        output::prose(&at_old_address(&one));
    }
    if sent.uncertain > 0 {
        let settled = match engine.campaign.mail.uncertain {
            Uncertain::Retry if sent.uncertain_again == sent.uncertain => {
                "for the second time, and the next send holds them until a person decides"
            }
            Uncertain::Retry if sent.uncertain_again > 0 => {
                "the next send, ten minutes on, sends the same bytes once more, and holds those that are so for the second time"
            }
            Uncertain::Retry => "the next send, ten minutes on, sends the same bytes once more",
            Uncertain::Hold => "flagday send --to failed, ten minutes on, sends the same bytes once more",
        };
        global.hint(format!("Some messages are in doubt: flagday status names them; {settled}"));
    }
    let left = sent.waiting + sent.others;
    let waits = left > 0 && engine.ledger().next_due()?.is_some_and(|at| at <= engine.now());
    let paused = engine.paused()?.filter(|_| waits && !sent.called_off);
    if let (Some(one), []) = (&paused, sent.stopped.as_slice()) {
        output::findings(&[Finding { severity: Severity::Warning, ..one.finding(&hour(one.until)) }], true);
    }
    let next = engine.next_moment()?.map(|(at, what)| format!("{what} {}", hour(at)));
    if sent.failed > 0 {
        global.hint("Each with the reason: flagday who --failed (or --failed --csv)");
        if !sent.called_off {
            global.hint("Next: correct the roster or the server, then flagday send --to failed");
        }
    }
    match sent.untried {
        0 => {}
        _ if sent.called_off => {}
        1 => global.hint("one more waits to be tried again, beyond --limit: flagday send --to failed"),
        n => global.hint(format!("{n} more wait to be tried again, beyond --limit: flagday send --to failed")),
    }
    match exit(sent) {
        _ if sent.called_off => global.hint(
            "The campaign was called off meanwhile: what is left does not go out. flagday abort tells who has to know",
        ),
        Exit::Error if sent.failed > 0 => global.hint(format!(
            "{} still to go out: mend what is said above, then flagday send",
            sent.waiting
        )),
        Exit::Error => global.hint("Everything else stays planned. Next: mend what is said above, then flagday send"),
        Exit::SomeFailed => {}
        Exit::Waiting if sent.interrupted => global.hint("Stopped as you asked. What is left: flagday send"),
        Exit::Waiting if sent.kept_waiting > 0 => global.hint(
            "Next: flagday status says what to do about it, and then the next tick goes on. To press people all the same: flagday send",
        ),
        Exit::Waiting | Exit::Done if !sent.asleep.is_empty() => global.hint(format!(
            "Next: flagday send from {} on; flagday serve, or tick in a crontab, does it by itself",
            hour(sent.asleep[0].until)
        )),
        Exit::Waiting if sent.nothing_due && engine.aborted()?.is_some() => {
            if let Some(abort) = engine.aborted()? {
                let (at, by, why) = (hour(abort.at), abort.by, abort.reason);
                global.hint(format!("It was called off {at} by {by}: {why}. Nothing more is sent. Next: flagday status"));
            }
        }
        Exit::Waiting if sent.nothing_due && engine.is_postponed()? => {
            global.hint("The change is put off: nothing else is sent until the new change_at is told with flagday amend")
        }
        Exit::Waiting if sent.nothing_due && !sent.failed_before.is_empty() => {
            global.hint("Next: correct the roster or the server, then flagday send --to failed")
        }
        Exit::Waiting if sent.nothing_due && waits => global.hint(format!("{left} still to go out: flagday send")),
        Exit::Waiting if sent.nothing_due => {
            let next = next.map(|next| format!("Nothing is due. Next: {next}"));
            global.hint(next.unwrap_or_else(|| "Nothing is due, and nothing is to come.".into()));
        }
        Exit::Waiting if sent.untried > 0 && left == 0 => {}
        Exit::Waiting | Exit::Done => match engine.ledger().next_due()?.filter(|_| left > 0) {
            Some(at) if at > engine.now() => {
                global.hint(format!("{left} still to go out: flagday send from {} on", hour(at)))
            }
            Some(_) => global.hint(format!("{left} still to go out: flagday send")),
            None => global.hint("Next: flagday status"),
        },
        _ => global.hint("Next: flagday status"),
    }
    Ok(exit(sent))
}

/// How a run of sending ends.
pub fn exit(sent: &Sent) -> Exit {
    match sent {
        // Whom it gave up on has failed, and nothing is left that mending could send.
        Sent { ended: true, failed: 1.., waiting: 0, .. } => Exit::SomeFailed,
        Sent { ended: true, .. } => Exit::Error,
        Sent { failed: 1.., .. } => Exit::SomeFailed,
        Sent { untried: 1.., .. } | Sent { doubted_before: 1.., .. } => Exit::Waiting,
        Sent { waiting: 1.., .. } | Sent { in_doubt: 1.., .. } | Sent { doubted_twice: 1.., .. } => Exit::Waiting,
        Sent { uncertain: 1.., .. } | Sent { released: 1.., .. } | Sent { expired: 1.., .. } => Exit::Waiting,
        Sent { called_off: true, .. }
        | Sent { interrupted: true, .. }
        | Sent { kept_waiting: 1.., .. }
        | Sent { nothing_due: true, .. } => Exit::Waiting,
        _ => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io::Result as Io;
    use std::sync::{Arc, Mutex};

    /// A terminal that keeps what is written.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> Io<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> Io<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> Io<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> Io<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> Io<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> Io<()> {
            self.0.lock().expect("one thread").push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> Io<()> {
            Ok(())
        }
        fn flush(&self) -> Io<()> {
            Ok(())
        }
    }

    #[test]
    fn a_run_that_was_given_up_ends_by_what_is_left() {
        let all = Sent { ended: true, waiting: 30, ..Sent::default() };
        assert_eq!(exit(&all), Exit::Error);
        assert_eq!(exit(&Sent { failed: 5, ..all.clone() }), Exit::Error, "25 can still go out");
        assert_eq!(exit(&Sent { failed: 30, waiting: 0, ..all }), Exit::SomeFailed);
    }

    #[test]
    fn the_rate_is_a_number_and_not_a_style() {
        let paper = Paper::default();
        let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::term_like(Box::new(paper.clone())));
        bar.set_style(carrying());
        bar.inc(7);
        bar.tick();
        let written = paper.0.lock().expect("one thread").clone();
        let (_, rest) = written.rsplit_once(" 7 of 100 settled, ").expect(&written);
        let (rate, _) = rest.split_once("/s, ").expect(&written);
        assert!(
            rate.parse::<f64>().is_ok() && rate.split('.').nth(1).is_none_or(|digits| digits.len() == 1),
            "{written}"
        );
        assert!(!CARRYING.contains(":."), "what stands behind the colon is a style: .0 is black");
    }
}
