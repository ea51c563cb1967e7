//! The pages: templates, built in or the campaign's own, one stylesheet inside each page, and the policy that allows exactly that.

use super::wording;
use crate::fault::{Fault, Finding, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handlebars::Handlebars;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

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
    style: String,
    policy: String,
}

impl Pages {
    /// The built-in pages with those of the campaign in their place, and what is wrong with these. A page that the
    /// campaign words in general speaks for all languages that it does not word too.
    pub fn load(campaign: &Path) -> Result<(Pages, Vec<Finding>)> {
        let (own, mut findings) = wording::own(campaign);
        let has = |name: &str| own.iter().any(|own| own.name == name);
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        for (name, text) in TEMPLATES {
            let general = name.split_once('.').is_some_and(|(page, _)| has(page));
            if !general {
                registry.register_template_string(name, text).map_err(|error| broken(error.to_string()))?;
            }
        }
        for page in own.iter().filter(|own| own.name != "style.css") {
            // One that cannot be compiled is found by the lint.
            let _ = registry.register_template_string(&page.name, &page.text);
        }
        let style = own.iter().find(|own| own.name == "style.css").map_or(STYLE, |own| own.text.as_str()).to_owned();
        let hash = STANDARD.encode(Sha256::digest(&style));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let pages = Pages { registry, style, policy };
        findings.extend(wording::lint(&pages, &own));
        Ok((pages, findings))
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
        data["style"] = json!(self.style);
        self.registry.render(name, &data).map_err(|error| broken(error.to_string()))
    }
}

fn broken(cause: String) -> Fault {
    Fault::new("web-page", cause, "this is a fault of flagday itself: report it")
}
