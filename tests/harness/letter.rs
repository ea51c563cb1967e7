//! One message of the outbox, as its reader's program takes it apart.

use mail_parser::{MessageParser, MimeHeaders, PartType};
use std::path::Path;

pub struct Letter {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// The calendar entry, its folded lines put together.
    pub calendar: Option<String>,
    pub attachments: Vec<String>,
}

impl Letter {
    pub fn read(path: &Path) -> Letter {
        let bytes = fs_err::read(path).expect("a message");
        let message = MessageParser::default().parse(&bytes).expect("a message of RFC 5322");
        let address = |address: &mail_parser::Address| address.first().and_then(|one| one.address()).map(str::to_owned);
        let calendar = message.parts.iter().find(|part| {
            part.content_type().is_some_and(|kind| kind.ctype() == "text" && kind.subtype() == Some("calendar"))
        });
        let calendar = calendar.and_then(|part| match &part.body {
            PartType::Text(text) => Some(text.replace("\r\n ", "").replace("\r\n", "\n")),
            _ => None,
        });
        Letter {
            id: message.message_id().expect("a Message-ID").to_owned(),
            to: message.to().and_then(address).unwrap_or_default(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
            attachments: message.attachments().filter_map(|part| part.attachment_name()).map(str::to_owned).collect(),
            calendar,
        }
    }

    /// A line of the calendar entry: `SEQUENCE`, `UID`, `METHOD`.
    #[track_caller]
    pub fn entry(&self, property: &str) -> &str {
        let calendar = self.calendar.as_deref().expect("a calendar entry");
        let line = calendar.lines().find_map(|line| line.strip_prefix(property)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {property} in {calendar}"))
    }
}
