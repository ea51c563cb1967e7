//! Where a password comes from. Never from the file itself: it is copied, mailed and kept in backups.

use crate::campaign::model::PasswordSource;
use crate::campaign::table::Table;
use crate::campaign::tree::Spot;
use crate::fault::Finding;

/// Reads `password_env` or `password_command`.
pub(super) fn source(table: &mut Table) -> Option<PasswordSource> {
    if let Some(node) = table.take("password") {
        in_the_file(table, node.at);
    }
    let env = table.text("password_env");
    let command = table.text("password_command");
    match (env, command) {
        (Some(env), None) => Some(PasswordSource::Env(env.value)),
        (None, Some(command)) => Some(PasswordSource::Command(command.value)),
        (None, None) => None,
        (Some(env), Some(command)) => {
            let finding = Finding::error("contradiction", "the password has two sources", "keep one of the two");
            table.report.add(command.at, finding);
            Some(PasswordSource::Env(env.value))
        }
    }
}

/// Refuses a password that stands in the file, without showing it again.
pub(super) fn in_the_file(table: &Table, at: Spot) {
    let finding = Finding::error(
        "password-in-file",
        "a password stands in the file",
        "take it out and change it, then say where it comes from: password_env = \"NAME\" or password_command = \"…\"",
    );
    table.report.add_unquoted(at, finding);
}
