//! The signals to stop, and to reread files.
//!
//! The kernel delivers only handled signals to the first process of a container (PID 1).

use std::io;
use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// The signals to a subcommand that runs until it is stopped.
#[derive(Debug)]
pub(crate) struct Signals {
    stop: watch::Receiver<Option<u8>>,
    reread: Arc<Notify>,
}

impl Signals {
    /// Waits for the signal to stop. Returns its number.
    pub(crate) async fn stopped(&self) -> u8 {
        let mut stop = self.stop.clone();
        let number = stop.wait_for(Option::is_some).await;
        match number.map(|number| *number) {
            Ok(Some(number)) => number,
            // The thread that handles signals ends only with the process.
            _ => std::future::pending().await,
        }
    }

    /// Waits for the signal to reread files.
    pub(crate) async fn reread(&self) {
        self.reread.notified().await;
    }
}

/// Returns the exit code of a process that a signal stopped, as shells report it.
pub(crate) fn exit_code(signal: u8) -> u8 {
    128 + signal
}

#[cfg(unix)]
pub(crate) use self::unix::install;

/// Handles Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn install() -> io::Result<Signals> {
    const INTERRUPT: u8 = 2;
    let (stopping, stop) = watch::channel(None);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = stopping.send(Some(INTERRUPT));
        }
        stopping.closed().await;
    });
    Ok(Signals {
        stop,
        reread: Arc::default(),
    })
}

#[cfg(unix)]
mod unix {
    use std::io::IsTerminal as _;
    use std::process;
    use std::sync::mpsc as std_mpsc;
    use std::thread;
    use std::time::Duration;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::*;

    const HANGUP: u8 = 1;
    const INTERRUPT: u8 = 2;
    const TERMINATE: u8 = 15;

    /// After this time the process ends, even if something blocks. Acknowledged records are safe,
    /// and what was sent is in the checkpoint.
    const LIMIT: Duration = Duration::from_millis(4_500);

    struct Handled {
        hangup: Signal,
        interrupt: Signal,
        terminate: Signal,
    }

    impl Handled {
        fn new() -> io::Result<Self> {
            Ok(Self {
                hangup: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        async fn next(&mut self) -> u8 {
            tokio::select! {
                _ = self.hangup.recv() => HANGUP,
                _ = self.interrupt.recv() => INTERRUPT,
                _ = self.terminate.recv() => TERMINATE,
            }
        }
    }

    /// Handles SIGTERM, SIGINT and SIGHUP on a separate thread, which nothing else can block.
    pub(crate) fn install() -> io::Result<Signals> {
        let (stopping, stop) = watch::channel(None);
        let reread = Arc::<Notify>::default();
        let rereading = Arc::clone(&reread);
        let (report, installed) = std_mpsc::sync_channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    match Handled::new() {
                        Ok(handled) => {
                            let _ = report.send(Ok(()));
                            handle(handled, &stopping, &rereading).await;
                        }
                        Err(error) => {
                            let _ = report.send(Err(error));
                        }
                    }
                });
            })?;
        installed.recv().map_err(io::Error::other)??;
        Ok(Signals { stop, reread })
    }

    async fn handle(
        mut handled: Handled,
        stopping: &watch::Sender<Option<u8>>,
        rereading: &Notify,
    ) {
        // A closed terminal sends SIGHUP, too.
        let ends_with_terminal = io::stderr().is_terminal();
        let stop = loop {
            match handled.next().await {
                HANGUP if !ends_with_terminal => rereading.notify_one(),
                number => break number,
            }
        };
        let _ = stopping.send(Some(stop));
        let again = async { while handled.next().await == HANGUP {} };
        let _ = tokio::time::timeout(LIMIT, again).await;
        process::exit(super::exit_code(stop).into());
    }
}
