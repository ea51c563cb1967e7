//! From a host's name to a connection.

use super::line::Wire;
use super::{Phase, Server, Trouble};
use std::io::ErrorKind;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Tries each of the host's addresses in turn. Also tells whether the peer is this machine.
pub async fn dial(server: &Server) -> Result<(Box<dyn Wire>, bool), Trouble> {
    let deadline = Phase::Connect.deadline().min(server.patience);
    let found = timeout(deadline, lookup_host((server.host.as_str(), server.port))).await;
    let addresses = found
        .map_err(|_| Trouble::Unresolved { words: "no answer in time".into() })?
        .map_err(|error| Trouble::Unresolved { words: error.to_string() })?;
    let mut last = Trouble::Unresolved { words: "it has no address".into() };
    for address in addresses {
        match timeout(deadline, TcpStream::connect(address)).await {
            Err(_) => last = Trouble::Silent(Phase::Connect),
            Ok(Err(error)) => last = Trouble::Unreachable { kind: error.kind(), words: words(&error) },
            Ok(Ok(stream)) => {
                // Without it each message waits 40 ms for the peer's delayed acknowledgement.
                stream.set_nodelay(true).map_err(|_| Trouble::Closed(Phase::Connect))?;
                return Ok((Box::new(stream), address.ip().is_loopback()));
            }
        }
    }
    Err(last)
}

/// Without the system's error number.
fn words(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        _ => error.to_string(),
    }
}
