use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Node;
use crate::transport::error::Error;

/// Returns the address in an Elastic Cloud id, which is `name:` followed by the base64 text of
/// `domain[:port]$elasticsearch[:port]$kibana`.
pub(super) fn node(id: &str) -> Result<Node, Error> {
    let wrong = || {
        Error::config(
            "the Elastic Cloud id cannot be read: expected a name, a colon and a base64 text, as the cloud console shows it",
        )
    };
    let (_, encoded) = id.trim().rsplit_once(':').ok_or_else(wrong)?;
    let decoded = STANDARD.decode(encoded).map_err(|_| wrong())?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong())?;
    let mut parts = decoded.split('$');
    let (Some(domain), Some(deployment)) = (parts.next(), parts.next()) else {
        return Err(wrong());
    };
    if domain.is_empty() || deployment.is_empty() || decoded.contains(['@', '/']) {
        return Err(wrong());
    }
    let (domain, domain_port) = domain.split_once(':').unwrap_or((domain, "443"));
    let (deployment, port) = deployment
        .split_once(':')
        .unwrap_or((deployment, domain_port));
    Node::checked(&format!("https://{deployment}.{domain}:{port}"))
}
