//! Reports by structure: delivery (RFC 3464, RFC 6533), disposition (RFC 8098) and abuse (RFC 5965). The fields decide,
//! not the words around them.

use super::addresses;
use super::message::{Body, Headers, InboundMessage, Part};
use super::reading::{MailKind, Original, Reading};
use super::status::{self, Status};

/// A report about more recipients than this is about nobody (its blocks beyond are not read).
const RECIPIENTS: usize = 10_000;

/// What the message reports, when it is a report by its structure.
pub(super) fn read(message: &InboundMessage) -> Option<Reading> {
    delivery(message).or_else(|| disposition(message)).or_else(|| abuse(message))
}

fn delivery(message: &InboundMessage) -> Option<Reading> {
    let part = find(message, &["message/delivery-status", "message/global-delivery-status"])?;
    let mut blocks = blocks(part.bytes()).into_iter();
    let first = blocks.next()?;
    // Some servers leave the fields of the whole message out, some the blank line after them.
    let alone = first.has("Action") || first.has("Final-Recipient");
    let envelope_id = first.get("Original-Envelope-Id").map(str::to_owned);
    let recipients: Vec<Recipient> = alone
        .then_some(first)
        .into_iter()
        .chain(blocks)
        .take(RECIPIENTS)
        .filter_map(|block| Recipient::read(&block))
        .collect();
    let kind = recipients.iter().filter_map(|one| one.kind).max_by_key(|kind| weight(*kind))?;
    let counted: Vec<&Recipient> = recipients.iter().filter(|one| one.kind == Some(kind)).collect();
    let mut reading = Reading::of(kind);
    for address in counted.iter().filter_map(|one| one.address.as_ref()) {
        if !reading.recipients.contains(address) {
            reading.recipients.push(address.clone());
        }
    }
    let telling = counted.first()?;
    reading.status = telling.status.map(|status| status.to_string());
    reading.diagnostic = telling.diagnostic.clone();
    if kind == MailKind::DsnFailed {
        reading.permanent = Some(counted.iter().any(|one| status::is_permanent(one.status, &one.diagnostic)));
    }
    reading.original = Original::of(message);
    reading.original.envelope_id = envelope_id;
    if reading.recipients.is_empty() {
        reading.recipients = message.headers.all("X-Failed-Recipients").flat_map(addresses::in_text).collect();
    }
    if reading.recipients.is_empty() {
        reading.recipients = reading.original.to.clone();
    }
    reading.because.push(format!("delivery report, Action: {}", telling.action));
    reading.because.extend(telling.status.map(|status| format!("Status: {status}")));
    Some(reading)
}

/// What is worst for one recipient is what the report is about.
fn weight(kind: MailKind) -> u8 {
    match kind {
        MailKind::DsnFailed => 4,
        MailKind::DsnDelayed => 3,
        MailKind::DsnDelivered => 2,
        _ => 1,
    }
}

struct Recipient {
    action: String,
    kind: Option<MailKind>,
    /// As we wrote it where that is told: a forwarding address is nobody we know.
    address: Option<String>,
    status: Option<Status>,
    diagnostic: String,
}

impl Recipient {
    fn read(block: &Headers) -> Option<Recipient> {
        let action = block.get("Action").unwrap_or_default().to_ascii_lowercase();
        let status = block.get("Status").and_then(Status::parse);
        let diagnostic = block.get("Diagnostic-Code").unwrap_or_default();
        let diagnostic = diagnostic.split_once(';').map_or(diagnostic, |(_, words)| words.trim()).to_owned();
        let word: String = action.chars().take_while(char::is_ascii_alphabetic).collect();
        let kind = match word.as_str() {
            "failed" | "failure" => Some(MailKind::DsnFailed),
            "delayed" => Some(MailKind::DsnDelayed),
            "delivered" => Some(MailKind::DsnDelivered),
            "relayed" | "expanded" => Some(MailKind::DsnRelayed),
            // Without an action the class of the status is all there is.
            _ => status.map(|status| match status.class {
                2 => MailKind::DsnDelivered,
                4 => MailKind::DsnDelayed,
                _ => MailKind::DsnFailed,
            }),
        };
        let named = |field: &str| block.get(field).and_then(addresses::in_field);
        let address = named("Original-Recipient")
            .filter(|address| address.contains('@'))
            .or_else(|| named("Final-Recipient"))
            .or_else(|| named("X-Actual-Recipient"));
        (kind.is_some() || address.is_some()).then_some(Recipient {
            action: if word.is_empty() { "none".to_owned() } else { word },
            kind,
            address,
            status: status.or_else(|| Status::find(&diagnostic)),
            diagnostic,
        })
    }
}

fn disposition(message: &InboundMessage) -> Option<Reading> {
    let part = find(message, &["message/disposition-notification", "message/global-disposition-notification"])?;
    let fields = blocks(part.bytes()).into_iter().next()?;
    let disposition = fields.get("Disposition").unwrap_or_default().to_ascii_lowercase();
    let (mode, what) = disposition.split_once(';').unwrap_or(("", &disposition));
    let what = what.split(['/', ',', ' ']).find(|word| !word.is_empty()).unwrap_or("nothing").to_owned();
    // Delivery agents write "displayed" by themselves; only a person's own act counts as one.
    let automatic =
        mode.contains("automatic-action") || disposition.contains("mdn-sent-automatically") && what != "displayed";
    let displayed = what == "displayed" && !automatic;
    let mut reading = Reading::of(if displayed { MailKind::MdnDisplayed } else { MailKind::MdnOther });
    let named = |field: &str| fields.get(field).and_then(addresses::in_field);
    reading.recipients = named("Original-Recipient")
        .filter(|address| address.contains('@'))
        .or_else(|| named("Final-Recipient"))
        .or_else(|| message.from().map(str::to_owned))
        .into_iter()
        .collect();
    reading.original = Original::of(message);
    if let Some(id) = fields.get("Original-Message-ID") {
        reading.original.add_id(id);
    }
    reading
        .because
        .push(format!("read receipt, Disposition: {}", if disposition.is_empty() { "none" } else { &disposition }));
    Some(reading)
}

fn abuse(message: &InboundMessage) -> Option<Reading> {
    let part = find(message, &["message/feedback-report"])?;
    let fields = blocks(part.bytes()).into_iter().next().unwrap_or_default();
    let mut reading = Reading::of(MailKind::Feedback);
    reading.original = Original::of(message);
    let told = fields.all("Original-Rcpt-To").chain(fields.all("Removal-Recipient")).filter_map(addresses::in_field);
    reading.recipients = told.collect();
    reading.recipients.dedup();
    if reading.recipients.is_empty() {
        reading.recipients = reading.original.to.clone();
    }
    let kind = fields.get("Feedback-Type").unwrap_or("unknown");
    reading.because.push(format!("feedback report, Feedback-Type: {kind}"));
    Some(reading)
}

/// A part of one of these types; or, in a report, one whose type was lost and whose first field says what it is.
fn find<'a>(message: &'a InboundMessage, kinds: &[&str]) -> Option<&'a Part> {
    if let Some(part) = message.parts.iter().find(|part| kinds.contains(&part.kind.as_str())) {
        return Some(part);
    }
    let report = message.headers.get("Content-Type").is_some_and(|kind| kind == "multipart/report");
    let first = match kinds[0] {
        "message/delivery-status" => ["reporting-mta:", "final-recipient:"],
        "message/disposition-notification" => ["reporting-ua:", "disposition:"],
        _ => ["feedback-type:", "feedback-type:"],
    };
    let looks = |part: &&Part| {
        let head = part.bytes().trim_ascii_start();
        first.iter().any(|name| head.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())))
    };
    report.then(|| message.parts.iter().filter(|part| !matches!(part.body, Body::Message(_))).find(looks)).flatten()
}

/// The groups of fields of a report, apart by blank lines.
fn blocks(bytes: &[u8]) -> Vec<Headers> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    let filled = |block: &&str| !block.trim().is_empty();
    let mut block = String::new();
    let mut all = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            block.push_str(line);
            block.push('\n');
            continue;
        }
        if filled(&block.as_str()) && all.len() <= RECIPIENTS {
            block.push('\n');
            all.push(InboundMessage::parse_headers(block.as_bytes()));
        }
        block.clear();
    }
    all
}
