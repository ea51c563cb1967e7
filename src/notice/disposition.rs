//! The name of an attachment that is not ASCII: for every reader by RFC 2231, and spelled in ASCII for those that know
//! nothing of it. The mail builder writes the first form only.

use super::transliterate::to_ascii;
use lettre::message::header::{Header, HeaderName, HeaderValue};

#[derive(Debug, Clone)]
pub(super) struct Disposition {
    name: String,
}

impl Disposition {
    /// The name has been checked: no quotes, no backslash, no control character.
    pub(super) fn attachment(name: &str) -> Disposition {
        Disposition { name: name.to_owned() }
    }
}

impl Header for Disposition {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("'{value}' is only ever written").into())
    }

    fn display(&self) -> HeaderValue {
        // A spelling may hold a quotation mark that the name did not.
        let spelled = to_ascii(&self.name).0.replace('"', "'");
        let mut value = "attachment".to_owned();
        if !self.name.is_ascii() {
            // First, because some readers take the first name they find.
            value.push_str(";\r\n filename*=utf-8''");
            for byte in self.name.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                    value.push(char::from(byte));
                } else {
                    value.push_str(&format!("%{byte:02X}"));
                }
            }
            value.push_str(";\r\n");
        } else {
            value.push(';');
        }
        value.push_str(&format!(" filename=\"{spelled}\""));
        HeaderValue::dangerous_new_pre_encoded(Self::name(), self.name.clone(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::message::header::Headers;

    #[test]
    fn a_name_is_told_twice_where_one_way_is_not_enough() {
        let field = |name: &str| {
            let mut headers = Headers::new();
            headers.set(Disposition::attachment(name));
            headers.to_string()
        };
        assert_eq!(field("KIM.ZIP"), "Content-Disposition: attachment; filename=\"KIM.ZIP\"\r\n");
        assert_eq!(
            field("„Größe“ 1.zip"),
            "Content-Disposition: attachment;\r\n filename*=utf-8''%E2%80%9EGr%C3%B6%C3%9Fe%E2%80%9C%201.zip;\r\n \
             filename=\"'Groesse' 1.zip\"\r\n"
        );
    }
}
