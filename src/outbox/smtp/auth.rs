//! Logging in (RFC 4954): PLAIN, LOGIN and XOAUTH2, never in clear beyond this machine.

use super::line::Line;
use super::{Login, Phase, Proof, Trouble};
use crate::outbox::smtp::capabilities::Capabilities;
use crate::outbox::{Reply, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;
use tokio::task::spawn_blocking;

/// `private`: encrypted, or on this machine. A password that is refused is fetched anew, once.
pub async fn log_in(line: &mut Line, offers: &Capabilities, login: &Login, private: bool) -> Result<(), Trouble> {
    if !private {
        return Err(Trouble::ClearPassword);
    }
    let mechanism = offers.mechanism(login.auth)?;
    // Until one lane is in, the others wait: a wrong password costs one failed login, not one for each of them.
    let proof = login.proof.lock().await;
    if let Proof::Refused(reply) = &*proof {
        return Err(Trouble::WrongPassword(reply.clone()));
    }
    let waiting = match *proof {
        Proof::Accepted => {
            drop(proof);
            None
        }
        _ => Some(proof),
    };
    let outcome = with_renewal(line, mechanism, login).await;
    let found = match &outcome {
        Ok(()) => Proof::Accepted,
        Err(Trouble::WrongPassword(reply) | Trouble::NoPassword { refusal: reply, .. }) => {
            Proof::Refused(reply.clone())
        }
        Err(_) => return outcome,
    };
    match waiting {
        Some(mut proof) => *proof = found,
        None => *login.proof.lock().await = found,
    }
    outcome
}

async fn with_renewal(line: &mut Line, mechanism: Mechanism, login: &Login) -> Result<(), Trouble> {
    let secret = login.password.current();
    let refusal = match attempt(line, mechanism, &login.user, &secret).await {
        Err(Trouble::WrongPassword(reply)) => reply,
        other => return other,
    };
    let password = login.password.clone();
    match spawn_blocking(move || password.renew(&secret)).await {
        Ok(Ok(Some(fresh))) => attempt(line, mechanism, &login.user, &fresh).await,
        Ok(Err(fault)) => Err(Trouble::NoPassword { refusal, words: fault.cause().to_owned() }),
        Ok(Ok(None)) | Err(_) => Err(Trouble::WrongPassword(refusal)),
    }
}

async fn attempt(line: &mut Line, mechanism: Mechanism, user: &str, secret: &Secret) -> Result<(), Trouble> {
    let credentials = Credentials::new(user.to_owned(), secret.expose().to_owned());
    let command = Auth::new(mechanism, credentials, None)
        .map_err(|_| Trouble::NoMechanism { offered: mechanism.to_string(), usable: "PLAIN, LOGIN, XOAUTH2" })?
        .to_string();
    line.hide(secret, user);
    let mut reply = line.ask(Phase::Auth, &command).await?;
    // LOGIN asks twice; its prompts differ from server to server, their order does not. XOAUTH2 explains a refusal and
    // waits for an empty line before it speaks it.
    let answers: &[&str] = match mechanism {
        Mechanism::Login => &[user, secret.expose()],
        Mechanism::Xoauth2 => &[""],
        Mechanism::Plain => &[],
    };
    for answer in answers {
        if reply.code == 334 {
            reply = line.ask(Phase::Auth, &format!("{}\r\n", STANDARD.encode(answer))).await?;
        }
    }
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
