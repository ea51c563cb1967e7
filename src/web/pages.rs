//! The pages: templates, one stylesheet inside each page, and the policy that allows exactly that.

use crate::fault::{Fault, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handlebars::Handlebars;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/web/style.css");

/// By name, and with the language behind a dot where it is not the general one.
const TEMPLATES: [(&str, &str); 8] = [
    ("layout", include_str!("../../templates/web/layout.hbs")),
    ("confirm", include_str!("../../templates/web/confirm.hbs")),
    ("confirm.de", include_str!("../../templates/web/confirm.de.hbs")),
    ("message", include_str!("../../templates/web/message.hbs")),
    ("message.de", include_str!("../../templates/web/message.de.hbs")),
    ("refused", include_str!("../../templates/web/refused.hbs")),
    ("dashboard", include_str!("../../templates/web/dashboard.hbs")),
    ("blocking", include_str!("../../templates/web/blocking.hbs")),
];

#[derive(Debug)]
pub struct Pages {
    registry: Handlebars<'static>,
    policy: String,
}

impl Pages {
    pub fn new() -> Result<Pages> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        for (name, text) in TEMPLATES {
            registry.register_template_string(name, text).map_err(|error| broken(error.to_string()))?;
        }
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        Ok(Pages { registry, policy })
    }

    /// For `Content-Security-Policy`: no script, no picture, no frame; the one stylesheet by its hash.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The page in this language, or in the general one.
    pub fn render(&self, name: &str, language: Option<&str>, mut data: Value) -> Result<String> {
        let base = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default().to_ascii_lowercase();
        let own = format!("{name}.{base}");
        let (name, lang) = if self.registry.has_template(&own) { (own.as_str(), base.as_str()) } else { (name, "en") };
        data["lang"] = json!(lang);
        data["style"] = json!(STYLE);
        self.registry.render(name, &data).map_err(|error| broken(error.to_string()))
    }
}

fn broken(cause: String) -> Fault {
    Fault::new("web-page", cause, "this is a fault of flagday itself: report it")
}
