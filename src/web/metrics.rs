//! `/metrics`: counts and moments in the Prometheus text format, version 0.0.4. Nothing about any one person.

use super::dashboard;
use super::routes::Client;
use super::site::Site;
use crate::engine::Engine;
use crate::fault::Result;
use crate::report::status::Status;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Requests by page and status since the start.
#[derive(Debug)]
pub struct Requests {
    counts: Mutex<BTreeMap<(&'static str, u16), u64>>,
    start: Instant,
}

impl Default for Requests {
    fn default() -> Requests {
        Requests { counts: Mutex::default(), start: Instant::now() }
    }
}

impl Requests {
    pub fn count(&self, page: &'static str, status: StatusCode) {
        let mut counts = self.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *counts.entry((page, status.as_u16())).or_default() += 1;
    }

    pub fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}

pub async fn metrics(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = dashboard::admit(&site, client, &headers) {
        return *response;
    }
    match site.with_engine(|engine| Ok(Text::of(engine)?.0)).await {
        Ok(mut text) => {
            add_own(&mut text, &site);
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("# {}\n", fault.cause())).into_response(),
    }
}

/// The text as it grows.
struct Text(String);

impl Text {
    fn of(engine: &Engine) -> Result<Text> {
        let status = Status::of(engine)?;
        let mut text = Text(String::new());
        text.one("flagday_people", "gauge", "People on the rosters.", status.people as f64);
        text.one("flagday_revision", "gauge", "Number of the newest revision.", f64::from(status.revision));
        let change = status.change_at.timestamp() as f64;
        text.one("flagday_change_timestamp_seconds", "gauge", "When the change is.", change);
        text.one("flagday_tasks", "gauge", "Calls that wait for a human.", status.tasks.len() as f64);
        let paused = f64::from(u8::from(status.paused.is_some()));
        text.one("flagday_delivery_paused", "gauge", "1 while delivery is given up for a while.", paused);
        let unreached = f64::from(u8::from(status.outage.is_some()));
        let help = "1 while messages wait, because every connection of the last run failed.";
        text.one("flagday_mail_server_unreached", "gauge", help, unreached);
        let lost = status.lost.len() as f64;
        text.one(
            "flagday_messages_lost",
            "gauge",
            "Messages that did not arrive and that somebody has to see to.",
            lost,
        );
        let unread = status.unread.len() as f64;
        text.one("flagday_mailboxes_unread", "gauge", "Mailboxes that could not be read.", unread);
        let waiting = status.kept_waiting as f64;
        let help = "Reminders, escalations and calls that wait until every mailbox was read.";
        text.one("flagday_kept_waiting", "gauge", help, waiting);
        let counts = serde_json::to_value(status.messages)?;
        let counts = counts.as_object().into_iter().flatten();
        let by_state = counts.map(|(state, n)| (vec![("state", state.as_str())], n.as_f64().unwrap_or_default()));
        text.many("flagday_messages", "gauge", "Messages by state.", by_state);
        let gates = || status.gates.iter().map(|gate| (vec![("gate", gate.name.as_str())], gate));
        let each = |value: fn(&crate::gate::Verdict) -> f64| gates().map(move |(labels, gate)| (labels, value(gate)));
        text.many(
            "flagday_gate_open",
            "gauge",
            "1 where the gate is open.",
            each(|gate| f64::from(u8::from(gate.open))),
        );
        text.many(
            "flagday_gate_satisfied",
            "gauge",
            "People who satisfy the gate.",
            each(|gate| gate.satisfied as f64),
        );
        text.many("flagday_gate_of", "gauge", "People whom the gate counts.", each(|gate| gate.of as f64));
        text.many(
            "flagday_gate_blocking",
            "gauge",
            "People who hold the gate.",
            each(|gate| gate.blocking.len() as f64),
        );
        text.many("flagday_gate_waived", "gauge", "People waived at the gate.", each(|gate| gate.waived.len() as f64));
        let asked = status.acknowledgements.iter().flat_map(|one| {
            let labels = |state| vec![("acknowledgement", one.name.as_str()), ("state", state)];
            [
                (labels("satisfied"), one.satisfied as f64),
                (labels("waived"), one.waived as f64),
                (labels("missing"), one.missing.len() as f64),
            ]
        });
        text.many("flagday_acknowledgements", "gauge", "People by acknowledgement and state.", asked);
        let mut steps: BTreeMap<&str, f64> = BTreeMap::new();
        for step in &status.steps {
            *steps.entry(step.state).or_default() += 1.0;
        }
        let steps = steps.into_iter().map(|(state, n)| (vec![("state", state)], n));
        text.many("flagday_steps", "gauge", "Steps by state.", steps);
        Ok(text)
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.many(name, kind, help, [(Vec::new(), value)]);
    }

    fn many<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, f64)>,
    ) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let labels: Vec<String> =
                labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// How this server itself fares.
fn add_own(text: &mut String, site: &Site) {
    let mut own = Text(std::mem::take(text));
    let beat = site.beat.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    own.one(
        "flagday_scheduler_up",
        "gauge",
        "1 where this server does the rounds.",
        f64::from(u8::from(beat.scheduled)),
    );
    own.one("flagday_rounds_total", "counter", "Rounds of the schedule since the start.", beat.rounds as f64);
    own.one("flagday_round_failures_total", "counter", "Rounds that failed.", beat.failures as f64);
    if let Some(last) = beat.last {
        let name = "flagday_last_round_timestamp_seconds";
        own.one(name, "gauge", "When the last round ended.", last.timestamp() as f64);
    }
    if let Some((next, _)) = beat.next {
        let name = "flagday_next_moment_timestamp_seconds";
        own.one(name, "gauge", "When something is due next.", next.timestamp() as f64);
    }
    let requests = site.requests.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    let requests: Vec<_> =
        requests.into_iter().map(|((page, status), n)| (page, status.to_string(), n as f64)).collect();
    let rows = requests.iter().map(|(page, status, n)| (vec![("page", *page), ("status", status.as_str())], *n));
    own.many("flagday_http_requests_total", "counter", "Requests by page and status.", rows);
    *text = own.0;
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
