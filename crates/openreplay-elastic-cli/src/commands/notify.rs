//! systemd's notification protocol (`sd_notify`), for units of `Type=notify`.

use std::env;

/// The socket of the service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct Notifier {
    #[cfg(unix)]
    socket: Option<(
        std::os::unix::net::UnixDatagram,
        std::os::unix::net::SocketAddr,
    )>,
    last: String,
}

impl Notifier {
    /// Reads `NOTIFY_SOCKET`.
    pub(super) fn from_env() -> Self {
        match env::var_os("NOTIFY_SOCKET") {
            Some(name) if cfg!(unix) => Self::to(&name),
            _ => Self::default(),
        }
    }

    #[cfg(unix)]
    fn to(name: &std::ffi::OsStr) -> Self {
        let address = address(name).ok();
        let socket = std::os::unix::net::UnixDatagram::unbound().ok();
        Self {
            socket: socket.zip(address),
            last: String::new(),
        }
    }

    #[cfg(not(unix))]
    fn to(_: &std::ffi::OsStr) -> Self {
        Self::default()
    }

    /// Sends a state, unless it is the same as the last one. Errors are ignored: the manager may
    /// have stopped.
    pub(super) fn send(&mut self, state: &str) {
        if self.last == state {
            return;
        }
        state.clone_into(&mut self.last);
        #[cfg(unix)]
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(state.as_bytes(), address);
        }
    }
}

/// Parses a path or, after `@`, a name in Linux' abstract namespace.
#[cfg(unix)]
fn address(name: &std::ffi::OsStr) -> std::io::Result<std::os::unix::net::SocketAddr> {
    use std::os::unix::net::SocketAddr;

    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;

        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::OsStr;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::*;

    #[test]
    fn a_manager_receives_each_state_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let abstract_name = format!("openreplay-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        for (manager, name) in [
            (
                UnixDatagram::bind(&path).unwrap(),
                path.clone().into_os_string(),
            ),
            (
                UnixDatagram::bind_addr(&address).unwrap(),
                format!("@{abstract_name}").into(),
            ),
        ] {
            let mut notifier = Notifier::to(&name);
            for state in ["READY=1", "STATUS=a", "STATUS=a", "STATUS=b"] {
                notifier.send(state);
            }
            let mut buffer = [0; 64];
            for expected in ["READY=1", "STATUS=a", "STATUS=b"] {
                let length = manager.recv(&mut buffer).unwrap();
                assert_eq!(&buffer[..length], expected.as_bytes());
            }
        }
    }

    #[test]
    fn no_manager_changes_nothing() {
        Notifier::to(OsStr::new("/missing/socket")).send("READY=1");
        Notifier::default().send("READY=1");
    }
}
