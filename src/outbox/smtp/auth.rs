//! Logging in (RFC 4954): PLAIN, LOGIN and XOAUTH2, never in clear beyond this machine.

use super::line::Line;
use super::{Login, Phase, Trouble};
use crate::outbox::Reply;
use crate::outbox::smtp::capabilities::Capabilities;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;

/// `private`: encrypted, or on this machine.
pub async fn log_in(line: &mut Line, offers: &Capabilities, login: &Login, private: bool) -> Result<(), Trouble> {
    if !private {
        return Err(Trouble::ClearPassword);
    }
    let Some(mechanism) = offers.mechanism() else {
        return Err(Trouble::NoMechanism { offered: offers.auth.join(" ") });
    };
    let credentials = Credentials::new(login.user.clone(), login.password.expose().to_owned());
    let command = Auth::new(mechanism, credentials, None)
        .map_err(|_| Trouble::NoMechanism { offered: mechanism.to_string() })?
        .to_string();
    let mut reply = line.ask(Phase::Auth, &command).await?;
    // LOGIN asks twice; its prompts differ from server to server, their order does not. XOAUTH2 explains a refusal and
    // waits for an empty line before it speaks it.
    let answers: &[&str] = match mechanism {
        Mechanism::Login => &[&login.user, login.password.expose()],
        Mechanism::Xoauth2 => &[""],
        Mechanism::Plain => &[],
    };
    for answer in answers {
        if reply.code == 334 {
            reply = line.ask(Phase::Auth, &format!("{}\r\n", STANDARD.encode(answer))).await?;
        }
    }
    reply.text = login.password.redact(&reply.text, &login.user);
    judge(reply)
}

fn judge(reply: Reply) -> Result<(), Trouble> {
    match reply.code {
        235 => Ok(()),
        _ if reply.is_transient() => Err(Trouble::Turned(Phase::Auth, reply)),
        _ if reply.is_permanent() => Err(Trouble::WrongPassword(reply)),
        _ => Err(Trouble::OutOfStep(Phase::Auth, reply)),
    }
}
