//! Tower layers that take OpenReplay's session id from requests and pass it on.
