//! How `ship` waits for the signal to stop.

use openreplay_elastic::Client;

use crate::print;
use crate::signals::Signals;

/// Runs until it is done, or until the signal to stop, whose number it returns.
pub(super) async fn until_stopped<T>(
    work: impl Future<Output = T>,
    signals: &Signals,
    client: &Client,
) -> Result<T, u8> {
    tokio::select! {
        done = work => Ok(done),
        signal = stopped(signals, client) => Err(signal),
    }
}

/// Waits for the signal to stop, and returns its number. Until then, rereads the credentials on
/// SIGHUP.
pub(super) async fn stopped(signals: &Signals, client: &Client) -> u8 {
    loop {
        tokio::select! {
            signal = signals.stopped() => return signal,
            () = signals.reread() => match client.reload_credentials() {
                Ok(true) => print::note("reread the credentials"),
                Ok(false) => print::note("the credentials have not changed"),
                Err(error) => print::note(&format!("keeping the credentials: {}", print::one_line(&error.to_string()))),
            },
        }
    }
}
