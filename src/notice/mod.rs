//! WHAT EACH ONE READS: templates filled in for one person, and made into the bytes of a letter.
//!
//! ```text
//! Context -> Texts::render -> Rendered -> mime::compose | rfc1154::compose -> Letter (files still on disk)
//! ```

mod builtin;
pub mod calendar;
mod context;
mod disposition;
pub mod dkim;
mod encoding;
mod header;
mod letter;
mod lint;
mod message_id;
pub mod mime;
mod moment;
mod quoted;
pub mod rfc1154;
mod shape;
mod source;
mod stored;
mod template;
mod token;
mod transliterate;
mod voice;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod snapshots;

pub use builtin::FILES;
pub use context::{
    AckWords, CampaignWords, ChangeWords, ChangedWords, Context, FileWords, NoticeWords, OutdatedWords, PackageWords,
    columns, facts,
};
pub use encoding::Encoding;
pub use header::{Attachment, Header, is_message_id};
pub use letter::{Letter, Open, Segment, open_file};
pub use message_id::{Identity, calendar_uid, message_id};
pub use moment::{day_in_words, in_words, is_german};
pub use template::{Rendered, Texts};
pub use token::{address_with_token, short_token, token, token_about};
pub use voice::UNFILLED;
pub(crate) use voice::chain;
