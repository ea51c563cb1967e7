//! Why a letter is sent that nobody expected: told in the letter itself, in its reader's language, and kept with the
//! message. English and German; every other language reads the English ones.

use crate::notice::is_german;
use chrono::NaiveDate;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// The reminder, from 1, and how many there are in all.
    Silent {
        reminder: usize,
        of: usize,
    },
    /// To the manager or alternate, with how many letters went before.
    NoAnswer {
        name: String,
        letters: usize,
    },
    Unreachable {
        name: String,
    },
    /// The roster has no address of theirs.
    NoAddress {
        name: String,
    },
    /// Our own message did not leave.
    Unsent {
        name: String,
    },
    Away {
        name: String,
        until: NaiveDate,
    },
    /// It could not wait for the end of quiet hours; and why it is sent at all, where somebody said so.
    Urgent {
        reason: String,
    },
    /// Another copy, on purpose.
    AskedFor,
    /// What the first one told was taken back, and is true now.
    Anew,
    /// The first one went to another address.
    AddressCorrected,
}

impl Reason {
    pub(super) fn words(&self, language: Option<&str>) -> String {
        let german = is_german(language);
        match (self, german) {
            (Reason::Silent { reminder, of }, false) => {
                format!("you have not answered yet; this is reminder {reminder} of {of}")
            }
            (Reason::Silent { reminder, of }, true) => {
                format!("Ihre Antwort fehlt noch; dies ist Erinnerung {reminder} von {of}")
            }
            (Reason::NoAnswer { name, letters: 1 }, false) => format!("{name} has not answered our letter"),
            (Reason::NoAnswer { name, letters }, false) => format!("{name} has not answered {letters} letters of ours"),
            (Reason::NoAnswer { name, letters: 1 }, true) => format!("{name} hat auf unseren Brief nicht geantwortet"),
            (Reason::NoAnswer { name, letters }, true) => {
                format!("{name} hat auf {letters} Briefe von uns nicht geantwortet")
            }
            (Reason::Unreachable { name }, false) => format!("our mail to {name} comes back undelivered"),
            (Reason::Unreachable { name }, true) => format!("unsere Mail an {name} kommt als unzustellbar zurück"),
            (Reason::Urgent { reason }, german) => {
                let words = match german {
                    false => "this could not wait until your quiet hours are over: the date comes first",
                    true => "dies konnte nicht bis zum Ende Ihrer Ruhezeit warten: Der Termin liegt davor",
                };
                if reason.is_empty() { words.to_owned() } else { format!("{reason}; {words}") }
            }
            (Reason::AskedFor, false) => "sent again as you asked".to_owned(),
            (Reason::AskedFor, true) => "auf Ihren Wunsch noch einmal gesendet".to_owned(),
            (Reason::Anew, false) => {
                "the change was taken back after our first letter, and has been made again".to_owned()
            }
            (Reason::Anew, true) => {
                "die Umstellung wurde nach unserem ersten Brief zurückgenommen und ist jetzt erneut erfolgt".to_owned()
            }
            (Reason::AddressCorrected, false) => "your address was corrected".to_owned(),
            (Reason::AddressCorrected, true) => "Ihre Adresse wurde berichtigt".to_owned(),
            (Reason::NoAddress { name }, false) => format!("we have no mail address of {name}"),
            (Reason::NoAddress { name }, true) => format!("wir haben keine Mailadresse von {name}"),
            (Reason::Unsent { name }, false) => format!("our mail to {name} could not be sent"),
            (Reason::Unsent { name }, true) => format!("unsere Mail an {name} konnte nicht gesendet werden"),
            (Reason::Away { name, until }, false) => {
                format!("{name} is away until {until}, and the answer is needed before")
            }
            (Reason::Away { name, until }, true) => {
                format!("{name} ist bis {} abwesend, und die Antwort wird vorher gebraucht", until.format("%d.%m.%Y"))
            }
        }
    }
}
