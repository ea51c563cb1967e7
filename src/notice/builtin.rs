//! The templates that come with the program, by their path below `templates/mail/`.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Path below `templates/mail/`, and content: what `init` writes for people to change.
        pub const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../templates/mail/", $path)))),*];
    };
}

files![
    "partials/header.html.hbs",
    "partials/header.html.de.hbs",
    "partials/footer.text.hbs",
    "partials/footer.text.de.hbs",
    "partials/footer.html.hbs",
    "partials/footer.html.de.hbs",
    "partials/answer.text.hbs",
    "partials/answer.text.de.hbs",
    "partials/answer.html.hbs",
    "partials/answer.html.de.hbs",
    "change-date/subject.hbs",
    "change-date/subject.de.hbs",
    "change-date/text.hbs",
    "change-date/text.de.hbs",
    "change-date/html.hbs",
    "change-date/html.de.hbs",
    "new-serial/subject.hbs",
    "new-serial/text.hbs",
    "new-serial/html.hbs",
    "local-change-date/subject.hbs",
    "local-change-date/text.hbs",
    "local-change-date/html.hbs",
    "reminder/subject.hbs",
    "reminder/subject.de.hbs",
    "reminder/text.hbs",
    "reminder/text.de.hbs",
    "reminder/html.hbs",
    "reminder/html.de.hbs",
    "escalation/subject.hbs",
    "escalation/text.hbs",
    "escalation/html.hbs",
    "broadcast/subject.hbs",
    "broadcast/text.hbs",
    "all-clear/subject.hbs",
    "all-clear/text.hbs",
    "all-clear/html.hbs",
    "abort/subject.hbs",
    "abort/text.hbs",
    "abort/html.hbs",
];
